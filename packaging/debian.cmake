# `cpack -G DEB` in the build folder.
# Peers, which would make it depend on the rivals, are a component that it leaves out.
set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};${PROJECT_NAME};Unspecified;/")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ${PROJECT_NAME})
set(CPACK_PACKAGE_VENDOR ${PROJECT_NAME})
set(CPACK_PACKAGE_CONTACT "The convoke maintainers <maintainers@convoke.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "compiler for convolutions")
set(CPACK_PACKAGE_DESCRIPTION
    "Compiles descriptions of convolution layers into machine code for exactly those layers, ahead of time or in a \
running program. Holds the command, the libraries, their headers, and modules for CMake, pkg-config and Python.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/runtime ${PROJECT_BINARY_DIR}/src)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "python3-numpy")
include(CPack)
