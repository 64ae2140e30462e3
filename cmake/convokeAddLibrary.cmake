# convoke_add_library(target SPEC net.yaml [LAYERS regex] [TARGETS cpu...] [PREFIX p] [WEIGHTS dir] [TRIPLE triple]
#                     [EMIT asm llvm explain])
#
# A static library of the kernels of net.yaml; linking it brings the folder of its header, net.h, and the runtime.
#   LAYERS   only layers whose name matches this extended regular expression
#   TARGETS  CPUs to compile for, as `convoke compile --target` names them; cvk_select takes the best of several. Without
#            it, the CPU of the machine that builds.
#   PREFIX   what every symbol begins with
#   WEIGHTS  folder of .npy files to compile in
#   TRIPLE   the system to compile for, as LLVM writes it, where it is not Linux
#   EMIT     what to write beside the object and the header
#
# Compiles anew when the spec, the weights, or the command changes.
include_guard()

function(convoke_add_library target)
  cmake_policy(VERSION 3.20...3.25)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SPEC;LAYERS;PREFIX;WEIGHTS;TRIPLE" "TARGETS;EMIT")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "convoke_add_library(${target}): cannot make sense of ${arg_UNPARSED_ARGUMENTS}")
  elseif(NOT arg_SPEC)
    message(FATAL_ERROR "convoke_add_library(${target} SPEC file ...): the file is missing")
  endif()
  if(NOT TARGET convoke::convoke)
    message(FATAL_ERROR "convoke_add_library(${target}): the command is not found; set CONVOKE_EXECUTABLE to it")
  endif()
  if(CMAKE_CROSSCOMPILING AND NOT arg_TARGETS)
    message(FATAL_ERROR "convoke_add_library(${target}): for another system, TARGETS says for which CPUs")
  endif()

  get_filename_component(spec ${arg_SPEC} ABSOLUTE)
  get_filename_component(stem ${spec} NAME_WLE)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}.convoke)
  set(endings o h ${arg_EMIT})
  list(TRANSFORM endings REPLACE "^asm$" s)
  list(TRANSFORM endings REPLACE "^llvm$" ll)
  list(TRANSFORM endings PREPEND ${folder}/${stem}. OUTPUT_VARIABLE outputs)
  list(JOIN arg_TARGETS "," cpus)
  list(JOIN arg_EMIT "," emit)
  set(options "")
  foreach(pair "LAYERS;--layer" "PREFIX;--prefix" "TRIPLE;--triple")
    list(GET pair 0 argument)
    list(GET pair 1 option)
    if(arg_${argument})
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
    get_filename_component(weights ${arg_WEIGHTS} ABSOLUTE)
    list(APPEND options --weights=${weights})
  endif()

  add_custom_command(
    OUTPUT ${outputs}
    COMMAND convoke::convoke compile ${spec} -o ${folder} -MD ${folder}/${stem}.d ${options}
    DEPENDS ${spec} $<TARGET_FILE:convoke::convoke>
    DEPFILE ${folder}/${stem}.d
    COMMENT "Compiling the layers of ${stem}"
    VERBATIM)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  set(language C)
  if(NOT language IN_LIST languages)
    set(language CXX)
  endif()
  add_library(${target} STATIC ${folder}/${stem}.o ${folder}/${stem}.h)
  set_source_files_properties(${folder}/${stem}.o PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE ${language})
  target_include_directories(${target} INTERFACE ${folder})
  target_link_libraries(${target} INTERFACE convoke::runtime)
endfunction()
