#include "millrace/connectors/files/text_files.h"

#include "millrace/connectors/files/text_reader.h"

namespace millrace {

SourceSpec<std::string> TextFiles::spec() const {
  const FilesSource<std::string, detail::TextReader> files("text_files", path_, {});
  return splittable_ ? files.splittable().spec() : files.spec();
}

}  // namespace millrace
