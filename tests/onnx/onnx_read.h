/* What cases of every sort are read with: tensors and attributes of a model, and the case's YAML as it grows. */
#ifndef CVK_TESTS_ONNX_READ_H
#define CVK_TESTS_ONNX_READ_H

#include "onnx_case.h"
#include "onnx.pb-c.h"

/* Why the case is not run; false. */
bool skip(onnx_case *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends to the case's YAML. */
void say(onnx_case *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_list(onnx_case *c, const char *key, size_t n, const int64_t *values);
/* NULL where the node has none of that name. */
const Onnx__Attribute *attribute(const Onnx__Node *node, const char *name);
/* The n-th input of the graph's first node: its numbers, up to five dimensions, and the word for its type; heap. */
void *operand(const char *folder, const Onnx__Graph *graph, size_t n, int64_t *elements, int64_t dims[5], size_t *rank,
              const char **word);
bool load_output(const char *folder, onnx_case *c);

/* onnx_step.c: the kinds of layers beside convolutions and pools. Whether the node is one of them, and the case. */
bool is_step(const Onnx__Node *node);
bool load_step(const char *folder, const char *name, const Onnx__Graph *graph, onnx_case *c);

#endif
