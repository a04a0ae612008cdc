#!/usr/bin/env bash
# Checks that each program of a folder, by default this script's, is refused for the reason that its
# first line gives, naming the type that its second line gives.
#   check.sh COMPILER INCLUDE-FOLDER [FOLDER]
set -u
compiler=${1:?usage: check.sh COMPILER INCLUDE-FOLDER [FOLDER]}
include=${2:?usage: check.sh COMPILER INCLUDE-FOLDER [FOLDER]}
folder=${3:-$(cd "$(dirname "$0")" && pwd)}
failed=0

fail() {
  echo "$1"
  failed=1
}

for program in "$folder"/*.cpp; do
  name=$(basename "$program" .cpp)
  expected=$(sed -n '1s|^// expect: ||p' "$program")
  named=$(sed -n '2s|^// names: ||p' "$program")
  if messages=$("$compiler" -std=c++20 -fsyntax-only -I"$include" "$program" 2>&1); then
    fail "$name compiles, though it should be refused"
    continue
  fi
  grep -qF "$expected" <<<"$messages" || fail "$name: no message says: $expected"
  grep -qE "(struct|In instantiation of|required from|instantiation) .*$named" <<<"$messages" ||
    fail "$name: no message names $named"
  errors=$(grep -cE ' error: ' <<<"$messages")
  [[ $errors -eq 1 ]] || fail "$name: $errors errors instead of one"
done
exit $failed
