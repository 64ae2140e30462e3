# Runs COMMAND and keeps what it prints in OUTPUT, which is there afterwards only if all went well.
execute_process(COMMAND ${COMMAND} OUTPUT_FILE ${OUTPUT}.part COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${OUTPUT}.part ${OUTPUT})
