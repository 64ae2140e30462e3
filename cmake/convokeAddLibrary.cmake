# convoke_add_library(target SPEC net.yaml [LAYERS regex] [TARGETS cpu...] [PREFIX p] [WEIGHTS dir] [TRIPLE triple]
#                     [THREADS n] [TUNED dir] [EMIT asm llvm explain] [STATIC_RUNTIME])
#
# A static library of the kernels of net.yaml; linking it brings the folder of its header, net.h, and the runtime.
#   LAYERS   only layers whose name matches this extended regular expression
#   TARGETS  CPUs to compile for, as `convoke compile --target` names them; cvk_select takes the best of several. Without
#            it, the CPU of the machine that builds.
#   PREFIX   what every symbol begins with
#   WEIGHTS  folder of .npy files to compile in
#   TRIPLE   the system to compile for, as LLVM writes it, where it is not Linux
#   THREADS  how many threads will run the kernels; without it, plans lose nothing on one and have work for many
#   TUNED    a database of `convoke tune`, whose plans are used for the layers that it has for the machine that builds
#   EMIT     what to write beside the object and the header
#   STATIC_RUNTIME  link the runtime as an archive
#
# Compiles anew when the spec, the weights, the database, or the command changes. install(TARGETS target EXPORT …) installs the library
# with its header; who finds it also finds convoke, for the runtime.
include_guard()

# convoke::convoke, unless it is there: CONVOKE_EXECUTABLE, or what PATH has.
function(convoke_find_command)
  if(TARGET convoke::convoke)
    return()
  endif()
  find_program(CONVOKE_EXECUTABLE convoke NO_CMAKE_FIND_ROOT_PATH NO_PACKAGE_ROOT_PATH NO_CMAKE_PATH)
  if(CONVOKE_EXECUTABLE)
    add_executable(convoke::convoke IMPORTED)
    set_target_properties(convoke::convoke PROPERTIES IMPORTED_LOCATION ${CONVOKE_EXECUTABLE})
  endif()
endfunction()

function(convoke_add_library target)
  cmake_policy(VERSION 3.20...3.25)
  set(me "convoke_add_library(${target})")
  cmake_parse_arguments(PARSE_ARGV 1 arg "STATIC_RUNTIME" "SPEC;LAYERS;PREFIX;WEIGHTS;TRIPLE;THREADS;TUNED" "TARGETS;EMIT")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${me}: cannot make sense of ${arg_UNPARSED_ARGUMENTS}")
  elseif(NOT arg_SPEC)
    message(FATAL_ERROR "convoke_add_library(${target} SPEC file ...): the file is missing")
  endif()
  string(REPLACE "," ";" arg_TARGETS "${arg_TARGETS}")
  list(REMOVE_DUPLICATES arg_TARGETS)
  list(REMOVE_DUPLICATES arg_EMIT)
  foreach(keyword LAYERS TARGETS PREFIX WEIGHTS TRIPLE THREADS TUNED EMIT)
    if(keyword IN_LIST ARGN AND "${arg_${keyword}}" STREQUAL "")
      message(FATAL_ERROR "${me}: ${keyword} is given without a value; leave it out for what holds without it")
    endif()
  endforeach()
  foreach(kind ${arg_EMIT})
    if(kind MATCHES "^(obj|header)$")
      message(FATAL_ERROR "${me}: EMIT ${kind}: the object and the header are always written; EMIT names what to write beside them")
    elseif(NOT kind MATCHES "^(asm|llvm|explain)$")
      message(FATAL_ERROR "${me}: EMIT takes asm, llvm and explain, not ${kind}")
    endif()
  endforeach()
  if(NOT "${arg_THREADS}" STREQUAL "" AND NOT arg_THREADS MATCHES "^[0-9]+$")
    message(FATAL_ERROR "${me}: THREADS is a number, not ${arg_THREADS}")
  endif()
  if(CMAKE_CROSSCOMPILING AND NOT arg_TARGETS)
    message(FATAL_ERROR "${me}: for another system, TARGETS says for which CPUs")
  endif()
  convoke_find_command()
  if(NOT TARGET convoke::convoke)
    message(FATAL_ERROR "${me}: the command is not found; set CONVOKE_EXECUTABLE to it")
  endif()

  get_filename_component(spec "${arg_SPEC}" ABSOLUTE)
  get_filename_component(stem "${spec}" NAME_WLE)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}.convoke")
  set(endings o h ${arg_EMIT})
  list(TRANSFORM endings REPLACE "^asm$" s)
  list(TRANSFORM endings REPLACE "^llvm$" ll)
  list(TRANSFORM endings PREPEND "${folder}/${stem}." OUTPUT_VARIABLE outputs)
  list(JOIN arg_TARGETS "," cpus)
  list(JOIN arg_EMIT "," emit)
  set(options "")
  foreach(pair "LAYERS;--layer" "PREFIX;--prefix" "TRIPLE;--triple" "THREADS;--threads")
    list(GET pair 0 argument)
    list(GET pair 1 option)
    if(NOT "${arg_${argument}}" STREQUAL "")
      list(APPEND options ${option}=${arg_${argument}})
    endif()
  endforeach()
  if(cpus)
    list(APPEND options --target=${cpus})
  endif()
  if(emit)
    list(APPEND options --emit=obj,header,${emit})
  endif()
  if(arg_WEIGHTS)
    get_filename_component(weights "${arg_WEIGHTS}" ABSOLUTE)
    list(APPEND options --weights=${weights})
  endif()
  if(arg_TUNED)
    get_filename_component(tuned "${arg_TUNED}" ABSOLUTE)
    list(APPEND options --tuned=${tuned})
  endif()

  add_custom_command(
    OUTPUT ${outputs}
    COMMAND convoke::convoke compile "${spec}" -o "${folder}" -MD "${folder}/${stem}.d" ${options}
    DEPENDS "${spec}" $<TARGET_FILE:convoke::convoke>
    DEPFILE "${folder}/${stem}.d"
    COMMENT "Compiling the layers of ${stem}"
    VERBATIM)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  set(language C)
  if(NOT language IN_LIST languages)
    set(language CXX)
  endif()
  set(runtime convoke::runtime)
  if(arg_STATIC_RUNTIME)
    set(runtime convoke::runtime_static)
  endif()
  set(includes include)
  if(CMAKE_INSTALL_INCLUDEDIR)
    set(includes ${CMAKE_INSTALL_INCLUDEDIR})
  endif()
  add_library(${target} STATIC "${folder}/${stem}.o" "${folder}/${stem}.h")
  set_source_files_properties("${folder}/${stem}.o" PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE ${language} PUBLIC_HEADER "${folder}/${stem}.h")
  target_include_directories(${target} INTERFACE "$<BUILD_INTERFACE:${folder}>" $<INSTALL_INTERFACE:${includes}>)
  target_link_libraries(${target} INTERFACE ${runtime})
endfunction()
