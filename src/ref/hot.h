/* Loops that do the work, compiled for several CPUs where the toolchain can choose among them at load time. Under
 * ThreadSanitizer it cannot: the choice is made before the sanitizer is ready. */
#ifndef CVK_REF_HOT_H
#define CVK_REF_HOT_H

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_THREAD__) && !__has_feature(thread_sanitizer)
#define HOT __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define HOT
#endif

#endif
