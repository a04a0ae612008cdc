// Finds cards that somebody tries out.
//   fraud --input=attempts.csv [--limit=3]
#include "fraud.h"

int main(int argc, char** argv) { return run("fraud", fraud, argc, argv); }
