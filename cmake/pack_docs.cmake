# cmake -DFILES=a;b -DFOLDER=out -P pack_docs.cmake
# Compresses every file into FOLDER and writes docs_assets.inc: for each an array `<name>` of its gzip bytes and an
# entity tag `<name>_etag`, with dots, dashes and so on in the name as underscores. The tag also changes the text that
# ccache looks at, which sees no #embed.
set(text "// Written by cmake/pack_docs.cmake.\n")
foreach(file IN LISTS FILES)
  get_filename_component(base ${file} NAME)
  string(TOLOWER "${base}" name)
  string(MAKE_C_IDENTIFIER "${name}" name)
  set(packed ${FOLDER}/${base}.gz)
  execute_process(COMMAND gzip -9nc ${file} OUTPUT_FILE ${packed} COMMAND_ERROR_IS_FATAL ANY)
  file(SHA256 ${packed} hash)
  string(SUBSTRING ${hash} 0 16 hash)
  string(APPEND text "constexpr unsigned char ${name}[] = {\n#embed \"${base}.gz\"\n};\n"
    "constexpr std::string_view ${name}_etag = \"\\\"${hash}\\\"\";\n")
endforeach()
file(WRITE ${FOLDER}/docs_assets.inc "${text}")
