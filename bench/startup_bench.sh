#!/usr/bin/env bash
# A job on an empty file, start to exit, with its peak memory; and the build of word_count.cpp.
#   startup_bench.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "${1:?usage: startup_bench.sh BUILD_FOLDER}" && pwd)
source=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/empty.txt"

median() { sort -n | sed -n 3p; } # of five

measure() { # command...: wall milliseconds and peak kilobytes of five runs
  for _ in 1 2 3 4 5; do
    python3 - "$@" <<'PYTHON'
import os, sys, time
begin = time.monotonic()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(round((time.monotonic() - begin) * 1000), usage.ru_maxrss)
sys.exit(status != 0)
PYTHON
  done
}

runs=$(measure "$build/examples/word_count" --input="$work/empty.txt")
printf 'job on an empty file, start to exit: %s ms, peak memory %s MB (medians of 5)\n' \
  "$(cut -d' ' -f1 <<<"$runs" | median)" "$(($(cut -d' ' -f2 <<<"$runs" | median) / 1024))"

cmake --install "$build" --prefix "$work/prefix" >/dev/null
mkdir "$work/user"
cat >"$work/user/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(user CXX)
find_package(Millrace REQUIRED)
add_executable(word_count $source/examples/word_count.cpp)
target_link_libraries(word_count PRIVATE Millrace::millrace)
CMAKE
cmake -S "$work/user" -B "$work/user/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
for _ in 1 2 3 4 5; do
  rm -f "$work/user/build/word_count" && find "$work/user/build" -name '*.o' -delete
  begin=${EPOCHREALTIME/./}
  cmake --build "$work/user/build" >/dev/null
  echo $(((${EPOCHREALTIME/./} - begin) / 1000))
done >"$work/builds"
printf 'word_count.cpp, compiled and linked: %s ms (median of 5)\n' "$(median <"$work/builds")"
