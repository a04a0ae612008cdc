// An element of a channel as the body of a data frame (docs/FORMATS.md, Links), and back. The
// sending task encodes, the receiving one decodes, each on its own thread.
//
// Decoding assigns into a batch of the thread's pool, so that a steady stream allocates little. It
// trusts nothing: hostile bytes are an error of code kCorruption.
#pragma once

#include <string>
#include <string_view>

#include "millrace/actors/channel_records.h"
#include "millrace/actors/element.h"
#include "millrace/actors/links/channel_frame.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// Appends the whole frame; that an element was restored does not cross, for it means nothing there.
// Fails, with `out` as it was, where the element is too large for a frame or its records cannot be
// encoded.
Status append_data_frame(const ChannelHeader& header, const Element& element,
                         const ChannelRecords& records, std::string& out);

// Decodes what stands behind the header in a data frame's body.
Result<Element> decode_element(std::string_view bytes, const ChannelRecords& records);

}  // namespace millrace::detail
