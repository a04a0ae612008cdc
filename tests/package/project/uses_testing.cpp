// What jobs are tested with compiles and links without any test framework.
#include <millrace/testing.h>

int main() {}
