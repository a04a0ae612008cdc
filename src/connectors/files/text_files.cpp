#include "millrace/connectors/files/text_files.h"

namespace millrace {

template class FilesSource<std::string, detail::TextReader>;

}  // namespace millrace
