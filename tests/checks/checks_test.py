"""Runs scripts/check over a small tree that is right, and over one wrong in each way it knows.

  checks_test.py SCRIPT
"""

import os
import subprocess
import sys
import tempfile
import unittest

SCRIPT = sys.argv.pop()
GOOD_HEADER = "// What it is for.\n#pragma once\n"


class Checks(unittest.TestCase):
    def check(self, files, *names):
        with tempfile.TemporaryDirectory() as root:
            for file, text in files.items():
                path = os.path.join(root, file)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as out:
                    out.write(text)
            done = subprocess.run([sys.executable, SCRIPT, "--root", root, *names],
                                  capture_output=True, text=True)
        return done.returncode, done.stdout

    def finds(self, files, name, where, what):
        status, said = self.check(files, name)
        self.assertEqual(status, 1, said)
        found = [line for line in said.splitlines() if line.startswith(where + ":")]
        self.assertTrue(any(what in line for line in found), said)

    def passes(self, files, name):
        status, said = self.check(files, name)
        self.assertEqual(status, 0, said)

    def finds_include(self, file, include, what):
        self.finds({file: GOOD_HEADER + f"#include {include}\n"}, "layers", f"{file}:3", what)

    def test_an_include_of_the_layer_below_passes(self):
        self.passes({"src/core/a.h": GOOD_HEADER,
                     "src/state/b.h": GOOD_HEADER + '#include "millrace/core/a.h"\n',
                     "src/state/b.cpp": '#include "millrace/state/b.h"\n#include <rocksdb/db.h>\n'},
                    "layers")

    def test_an_include_of_the_layer_above_is_found(self):
        self.finds_include("src/core/a.h", '"millrace/state/b.h"', "src/core includes src/state")

    def test_an_include_of_a_sibling_is_found(self):
        self.finds_include("src/cep/a.h", '"millrace/services/b.h"', "move the code down")

    def test_an_include_of_what_does_not_exist_is_found(self):
        self.finds_include("src/core/a.h", '"millrace/core/b.h"', "does not exist")

    def test_an_unknown_layer_is_found(self):
        self.finds({"src/utils/a.h": GOOD_HEADER}, "layers", "src/utils/a.h:1", "is unknown")
        self.finds_include("src/core/a.h", '"millrace/utils/b.h"', "is unknown")

    def test_a_relative_include_is_found(self):
        self.finds_include("src/core/a.h", '"b.h"', '"millrace/<layer>/b.h"')

    def test_our_own_header_in_angle_brackets_is_found(self):
        self.finds_include("src/state/a.h", "<millrace/core/b.h>", 'spell it "millrace/core/b.h"')

    def test_an_umbrella_header_inside_the_engine_is_found(self):
        self.finds_include("src/api/a.h", '"millrace/millrace.h"', "is for jobs")

    def test_a_library_outside_its_folder_is_found(self):
        self.finds_include("src/plan/a.cpp", "<caf/actor.hpp>", "outside src/actors")
        self.finds_include("src/core/a.cpp", "<rocksdb/db.h>", "outside src/state")
        self.finds_include("src/actors/a.cpp", "<zookeeper/zookeeper.h>", "outside src/coord")
        self.finds_include("src/state/a.cpp", "<spdlog/spdlog.h>", "outside src/core")
        self.finds_include("src/state/a.cpp", "<gtest/gtest.h>", "outside tests/")

    def test_generated_code_in_a_header_is_found(self):
        self.finds_include("src/core/a.h", "<capnp/message.h>", "in a header")
        self.finds_include("src/core/a.h", '"millrace/schemas/plan.capnp.h"', "in a header")
        self.finds_include("src/web/a.h", "<nlohmann/json.hpp>", "in a header")

    def test_a_header_without_a_contract_is_found(self):
        self.finds({"src/core/a.h": "#pragma once\n"}, "style", "src/core/a.h:1", "no contract")

    def test_a_header_without_pragma_once_is_found(self):
        self.finds({"src/core/a.h": "// What.\n"}, "style", "src/core/a.h:1", "no #pragma once")

    def test_using_namespace_in_a_header_is_found(self):
        self.finds({"src/core/a.h": GOOD_HEADER + "using namespace std;\n"}, "style",
                   "src/core/a.h:3", "'using namespace'")

    def test_a_namespace_that_is_not_public_is_found(self):
        self.finds({"src/core/a.h": GOOD_HEADER + "namespace millrace::core {\n"}, "style",
                   "src/core/a.h:3", "namespace millrace::core")
        self.passes({"src/core/a.h": GOOD_HEADER + "namespace millrace::detail {\n"}, "style")

    def test_an_own_header_that_is_not_first_is_found(self):
        self.finds({"src/core/a.h": GOOD_HEADER,
                    "src/core/a.cpp": '#include <string>\n#include "millrace/core/a.h"\n'},
                   "style", "src/core/a.cpp:1", "put it first")

    def test_a_long_file_is_noted_and_a_longer_one_found(self):
        self.passes({"tests/a_test.cpp": "\n" * 401}, "style")
        self.finds({"tests/a_test.cpp": "\n" * 801}, "style", "tests/a_test.cpp:801", "split it")

    def test_a_wide_line_is_found(self):
        self.passes({"src/core/a.cpp": "é" * 100}, "style")
        wide = "//" + "x" * 99 + "\n"
        self.finds({"src/core/a.cpp": wide}, "style", "src/core/a.cpp:1", "columns")
        off, on = "// clang-format off\n", "// clang-format on\n"
        self.passes({"src/core/a.cpp": off + wide + on}, "style")
        self.finds({"src/core/a.cpp": off + on + wide}, "style", "src/core/a.cpp:3", "columns")

    def test_the_table_of_folders_names_each_folder_once(self):
        table = "<!-- folders -->\n| folder | what |\n| --- | --- |\n{}<!-- /folders -->\n"
        tree = {"src/core/a.h": GOOD_HEADER, "src/state/a.h": GOOD_HEADER}
        core, state = "| `src/core` | the base |\n", "| [`src/state/`](src/state) | memory |\n"

        def readme(rows):
            return {**tree, "README.md": table.format(rows)}

        self.passes(readme(core + state), "folders")
        self.finds(readme(core), "folders", "README.md:5", "src/state is not in the table")
        self.finds(readme(core + state + core), "folders", "README.md:6", "twice")
        self.finds(readme(core + state + "| `src/sql` | later |\n"), "folders", "README.md:6",
                   "does not exist")
        self.finds(readme(core + "| `src/state` | |\n"), "folders", "README.md:5", "nothing is said")
        self.finds({**tree, "README.md": "# Millrace\n"}, "folders", "README.md:1", "no table")
        self.finds(tree, "folders", "README.md:1", "no README")

    def test_a_package_named_outside_of_setup_is_found(self):
        package = "-".join(["libcaf", "dev"])
        self.passes({"scripts/setup": package}, "packages")
        self.finds({"docs/a.md": f"install {package}\n"}, "packages", "docs/a.md:1", package)
        self.finds({"a/Makefile": "\tapt-get " + "install x\n"}, "packages", "a/Makefile:1",
                   "scripts/setup")

    def test_an_unknown_check_is_refused(self):
        self.assertEqual(self.check({}, "nonsense")[0], 2)


if __name__ == "__main__":
    unittest.main()
