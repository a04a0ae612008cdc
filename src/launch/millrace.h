// Everything that a job is written with.
#pragma once

#include "millrace/api/job.h"
#include "millrace/api/words.h"
#include "millrace/connectors/console/print.h"
#include "millrace/connectors/files/files.h"
#include "millrace/connectors/files/text_files.h"
#include "millrace/connectors/memory/collect.h"
#include "millrace/connectors/memory/discard.h"
#include "millrace/connectors/sockets/text_socket.h"
#include "millrace/connectors/values/collection.h"
#include "millrace/connectors/values/generate.h"
#include "millrace/connectors/values/sequence.h"
#include "millrace/launch/run.h"
