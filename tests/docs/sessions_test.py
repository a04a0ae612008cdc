#!/usr/bin/env python3
"""Runs the sessions that the documents show, and compares what they print.

usage: sessions_test.py SOURCE_FOLDER BUILD_FOLDER

A session is a ```console block: lines that begin with `$ ` are commands, what follows is their output,
standard error included. Programs under build/release/ are taken from BUILD_FOLDER. The time in the name of a
savepoint may be any. Every `make` target
that a ```sh block names must exist, and a program that names its example must be that example.
"""
import difflib
import pathlib
import re
import subprocess
import sys

source, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def sessions(block):
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def run(command):
    command = command.replace("build/release/", f"{build}/")
    done = subprocess.run(["bash", "-c", command], cwd=source, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return done.stdout


def without_times(text):
    return re.sub(r"\bsavepoint-\d{8}T\d{6}Z", "savepoint-TIME", text)


def check_sessions(name, text):
    failures = 0
    for block in blocks(text, "console"):
        for command, expected in sessions(block):
            printed = run(command)
            if without_times(printed) == without_times(expected):
                continue
            failures += 1
            print(f"{name}: `{command}` prints something else:")
            sys.stdout.writelines(difflib.unified_diff(
                expected.splitlines(True), printed.splitlines(True), "document", "printed"))
    return failures


def check_targets(name, text, makefile):
    failures = 0
    for block in blocks(text, "sh"):
        for target in re.findall(r"^make (\w+)", block, re.MULTILINE):
            if not re.search(rf"^{target}:", makefile, re.MULTILINE):
                failures += 1
                print(f"{name}: there is no target for `make {target}`")
    return failures


def check_programs(name, text):
    failures = 0
    for path, shown in re.findall(r"^<!-- (examples/\S+) -->\n```cpp\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if shown != (source / path).read_text():
            failures += 1
            print(f"{name}: the program is not what {path} holds")
    return failures


def main():
    makefile = (source / "Makefile").read_text()
    documents = [source / "README.md", source / "CONTRIBUTING.md", *source.glob("docs/**/*.md")]
    failures = 0
    for document in documents:
        name, text = document.relative_to(source), document.read_text()
        failures += check_sessions(name, text) + check_targets(name, text, makefile)
        failures += check_programs(name, text)
    sys.exit(1 if failures else 0)


main()
