/* classify INPUT OUTPUT: files of floats through the model. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>

int main(int count, char **names) {
    if (count != 3) return 2;
    float *x = calloc(model_inputs(), sizeof *x), *y = calloc(model_outputs(), sizeof *y);
    FILE *from = fopen(names[1], "rb"), *to = fopen(names[2], "wb");
    int sound = x && y && from && to && fread(x, sizeof *x, model_inputs(), from) == model_inputs() &&
                model_run(x, y) == 0 && fwrite(y, sizeof *y, model_outputs(), to) == model_outputs();
    if (from) fclose(from);
    if (to && fclose(to) != 0) sound = 0;
    free(x);
    free(y);
    return !sound;
}
