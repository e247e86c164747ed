# libllama: its headers to compile with, its libraries to open while the program runs (core/llm/llama_library.hpp).
# script/bootstrap puts both under script/npm/node_modules.
set(LUMINA_LLAMA_INCLUDE ${CMAKE_SOURCE_DIR}/script/npm/node_modules/.llama/include)
set(LUMINA_LLAMA_FOLDER ${CMAKE_SOURCE_DIR}/script/npm/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64)
if(NOT EXISTS ${LUMINA_LLAMA_INCLUDE}/llama.h)
  message(FATAL_ERROR "${LUMINA_LLAMA_INCLUDE}/llama.h is missing. Run script/bootstrap, which fetches it.")
endif()

# lumina_llama(target): for the area that uses it.
function(lumina_llama target)
  target_include_directories(${target} SYSTEM PRIVATE ${LUMINA_LLAMA_INCLUDE})
  target_link_libraries(${target} PUBLIC ${CMAKE_DL_LIBS})
  set_source_files_properties(${CMAKE_SOURCE_DIR}/src/core/llm/llama_library.cpp PROPERTIES
    COMPILE_DEFINITIONS LUMINA_LLAMA_FOLDER="${LUMINA_LLAMA_FOLDER}")
endfunction()
