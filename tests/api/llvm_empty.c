/* A library of the right name with nothing of ours in it. */
#include <convoke/runtime.h>

extern CVK_API const int unrelated;
const int unrelated = 1;
