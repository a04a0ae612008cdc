// expect: a record has at most 64 fields
// names: Wide
#include "millrace/core/records/record.h"

struct Wide {
  int a0, b0, c0, d0, e0;
  int a1, b1, c1, d1, e1;
  int a2, b2, c2, d2, e2;
  int a3, b3, c3, d3, e3;
  int a4, b4, c4, d4, e4;
  int a5, b5, c5, d5, e5;
  int a6, b6, c6, d6, e6;
  int a7, b7, c7, d7, e7;
  int a8, b8, c8, d8, e8;
  int a9, b9, c9, d9, e9;
  int a10, b10, c10, d10, e10;
  int a11, b11, c11, d11, e11;
  int a12, b12, c12, d12, e12;
};

const millrace::detail::Type& table = millrace::type_of<Wide>();
