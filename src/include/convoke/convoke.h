/* convoke/convoke.h: the compiler as a library. From a YAML spec to machine code in this process, or to objects.
 *
 *     cvk_network *net; cvk_kernel *kernel;
 *     cvk_network_parse(text, length, "net.yaml", NULL, &net);
 *     cvk_compile(cvk_network_layer(net, 0), NULL, NULL, &kernel);
 *     cvk_pack_weights(cvk_kernel_get_info(kernel), …); cvk_run(cvk_kernel_get_info(kernel), …);
 *
 * Fallible functions return a cvk_status and give their result through the last parameter, which they set to NULL on
 * failure. Details go to `diagnostics`, which may be NULL. All functions may be called from any thread; handles are
 * immutable once made. The library never prints, exits, aborts, installs signal handlers or changes the locale or the
 * floating-point environment. Every _free(NULL) is legal. */
#ifndef CONVOKE_CONVOKE_H
#define CONVOKE_CONVOKE_H

#include <convoke/runtime.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Messages, in the order they arose. Owned by the caller; filled by one thread at a time. */
typedef struct cvk_diagnostics cvk_diagnostics;
typedef enum cvk_severity { CVK_SEVERITY_ERROR, CVK_SEVERITY_WARNING, CVK_SEVERITY_NOTE } cvk_severity;
typedef struct cvk_diagnostic {
    cvk_severity severity;
    unsigned code;       /* printed as E0123; stable */
    const char *file;    /* never NULL; "" where there is none */
    unsigned line, column; /* from 1; 0 where there is none */
    const char *message, *hint; /* hint is "" where there is none */
} cvk_diagnostic;

CVK_API cvk_diagnostics *cvk_diagnostics_new(void); /* NULL when out of memory */
CVK_API void cvk_diagnostics_free(cvk_diagnostics *diagnostics);
CVK_API size_t cvk_diagnostics_count(const cvk_diagnostics *diagnostics);
CVK_API const cvk_diagnostic *cvk_diagnostics_get(const cvk_diagnostics *diagnostics, size_t index);
/* Writes `file:line:col: error[E0123]: message` and, after "\n  hint: ", the hint, as snprintf does. */
CVK_API size_t cvk_diagnostic_format(const cvk_diagnostic *diagnostic, char *buffer, size_t size);

/* A spec file: layers in the order they were written. */
typedef struct cvk_network cvk_network;
typedef struct cvk_spec cvk_spec;
/* `file_name` is for messages. Text is copied as needed. */
CVK_API cvk_status cvk_network_parse(const char *text, size_t length, const char *file_name,
                                     cvk_diagnostics *diagnostics, cvk_network **network);
CVK_API cvk_status cvk_network_read(const char *path, cvk_diagnostics *diagnostics, cvk_network **network);
CVK_API void cvk_network_free(cvk_network *network);
CVK_API const char *cvk_network_name(const cvk_network *network); /* "" where the file gives none */
CVK_API size_t cvk_network_count(const cvk_network *network);
/* A layer; NULL past the end. Owned by the network. */
CVK_API const cvk_spec *cvk_network_layer(const cvk_network *network, size_t index);
CVK_API const char *cvk_spec_name(const cvk_spec *spec);

/* How to compile. Zero everywhere means the default. */
typedef struct cvk_options {
    size_t struct_size; /* sizeof(cvk_options) */
    const char *target; /* a target's name, or "host"; NULL is "host" */
} cvk_options;

/* A compiled layer, loaded and ready. Immutable; shared by reference count. */
typedef struct cvk_kernel cvk_kernel;
CVK_API cvk_status cvk_compile(const cvk_spec *spec, const cvk_options *options, cvk_diagnostics *diagnostics,
                               cvk_kernel **kernel);
CVK_API const cvk_kernel_info *cvk_kernel_get_info(const cvk_kernel *kernel);
CVK_API cvk_kernel *cvk_kernel_ref(cvk_kernel *kernel); /* returns its argument */
CVK_API void cvk_kernel_free(cvk_kernel *kernel);       /* drops one reference */

/* The naive interpreter: dense weights, logical N C D H W arrays of float in C order whatever the spec's layouts,
 * sums in double. `addend` holds one tensor per `add` post-op, `scale` one vector per `{scale: per_channel}`. */
CVK_API cvk_status cvk_reference(const cvk_spec *spec, const float *input, const float *weights, const float *bias,
                                 const float *scale, const float *addend, float *output);

#ifdef __cplusplus
}
#endif
#endif
