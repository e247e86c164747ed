# The pages of /docs: our own from src/core/system/docs and Swagger UI's from npm, packed into the binary.
set(swagger ${CMAKE_SOURCE_DIR}/script/npm/node_modules/swagger-ui-dist)
if(NOT EXISTS ${swagger}/swagger-ui-bundle.js)
  message(FATAL_ERROR "${swagger} is missing. Run script/bootstrap, which installs it.")
endif()
set(docs_files
  ${CMAKE_SOURCE_DIR}/src/core/system/docs/index.html
  ${CMAKE_SOURCE_DIR}/src/core/system/docs/page.css
  ${CMAKE_SOURCE_DIR}/src/core/system/docs/start.js
  ${swagger}/swagger-ui.css
  ${swagger}/swagger-ui-bundle.js
  ${swagger}/favicon-32x32.png
  ${swagger}/swagger-ui-bundle.js.LICENSE.txt
  ${swagger}/LICENSE
  ${swagger}/NOTICE)

# lumina_docs_assets(lumina_core_system): lets docs_page.cpp include "docs_assets.inc".
function(lumina_docs_assets target)
  set(folder ${CMAKE_BINARY_DIR}/docs_assets)
  add_custom_command(
    OUTPUT ${folder}/docs_assets.inc
    COMMAND ${CMAKE_COMMAND} "-DFILES=${docs_files}" -DFOLDER=${folder} -P ${CMAKE_SOURCE_DIR}/cmake/pack_docs.cmake
    DEPENDS ${docs_files} ${CMAKE_SOURCE_DIR}/cmake/pack_docs.cmake
    COMMENT "Packing the pages of /docs" VERBATIM)
  target_sources(${target} PRIVATE ${folder}/docs_assets.inc)
  target_include_directories(${target} PRIVATE ${folder})
endfunction()
