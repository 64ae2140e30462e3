# Writes OUTPUT, the C file that defines build_id: what the compiler's code depends on, hashed.
# Needs OUTPUT, SOURCE_DIR (the project's), PREFIX (versions in words) and FLAGS (what else shapes the code).
file(GLOB_RECURSE sources RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/src/*.c ${SOURCE_DIR}/src/*.h ${SOURCE_DIR}/src/*.def
     ${SOURCE_DIR}/runtime/*.c ${SOURCE_DIR}/runtime/*.h ${SOURCE_DIR}/runtime/*.def)
list(FILTER sources EXCLUDE REGEX "^src/(tune|exchange|import|cli)/")
set(all "${FLAGS}")
foreach(source ${sources})
  file(SHA256 ${SOURCE_DIR}/${source} hash)
  string(APPEND all "${source} ${hash}\n")
endforeach()
string(SHA256 hash "${all}")
string(SUBSTRING ${hash} 0 16 hash)
file(WRITE ${OUTPUT} "#include \"base/build.h\"\n\nconst char build_id[] = \"${PREFIX} ${hash}\";\n")
