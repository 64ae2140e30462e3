# The compiler, the command, what describes them, and the bindings.
name_target(libconvoke compiler)
name_target(convoke convoke)
install_component(compiler libconvoke)
install_component(command convoke)
install(TARGETS convoke_llvm LIBRARY NAMELINK_SKIP)
install(TARGETS libconvoke_static)
install_pkg_config(convoke)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/include/convoke TYPE INCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/bindings/cpp/convoke.hpp TYPE INCLUDE)

# Manual pages, completions and the schema: printed by the command that was built, so that they say what it does.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/cli/verbs.def)
file(STRINGS ${PROJECT_SOURCE_DIR}/src/cli/verbs.def verbs REGEX "^VERB\\(")
list(TRANSFORM verbs REPLACE "^VERB\\(([a-z]+),.*" "\\1")
set(printed ${CMAKE_CURRENT_BINARY_DIR}/printed)
file(MAKE_DIRECTORY ${printed}) # which make does not
function(install_printed file destination) # what `convoke print` is to print follows
  add_custom_command(
    OUTPUT ${printed}/${file}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${printed}/${file} "-DCOMMAND=$<TARGET_FILE:convoke>;print;${ARGN}" -P
            ${CMAKE_CURRENT_SOURCE_DIR}/print.cmake
    DEPENDS convoke print.cmake
    VERBATIM)
  set_property(GLOBAL APPEND PROPERTY convoke_printed ${printed}/${file})
  install(FILES ${printed}/${file} DESTINATION ${destination})
endfunction()
install_printed(convoke.1 ${CMAKE_INSTALL_MANDIR}/man1 man)
foreach(verb ${verbs})
  install_printed(convoke-${verb}.1 ${CMAKE_INSTALL_MANDIR}/man1 man ${verb})
endforeach()
install_printed(convoke ${CMAKE_INSTALL_DATADIR}/bash-completion/completions bash)
install_printed(_convoke ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions zsh)
install_printed(convoke.fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d fish)
install_printed(convoke.schema.json ${CMAKE_INSTALL_DATADIR}/convoke schema)
get_property(all GLOBAL PROPERTY convoke_printed)
add_custom_target(convoke_printed ALL DEPENDS ${all})

# Python's module finds the library by a link beside it, or where the system looks for libraries.
set(CVK_PYTHON_DIR lib/python3/dist-packages CACHE STRING "Where Python's module is installed, below the prefix")
option(CVK_PYTHON_LINK "Install a link to the library beside Python's module" ON)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/bindings/python/convoke DESTINATION ${CVK_PYTHON_DIR}
        PATTERN __pycache__ EXCLUDE)
if(CVK_PYTHON_LINK)
  file(RELATIVE_PATH library /${CVK_PYTHON_DIR}/convoke /${CMAKE_INSTALL_LIBDIR}/libconvoke.so.0)
  file(CREATE_LINK ${library} ${CMAKE_CURRENT_BINARY_DIR}/libconvoke.so SYMBOLIC)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/libconvoke.so DESTINATION ${CVK_PYTHON_DIR}/convoke)
endif()

# What bindings/python/setup.py puts into a wheel, and nothing else installs.
install(TARGETS libconvoke_rt libconvoke convoke_llvm LIBRARY DESTINATION . NAMELINK_SKIP COMPONENT wheel EXCLUDE_FROM_ALL)
