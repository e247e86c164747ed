# -DLUMINA_SANITIZE=address or =thread, chosen by the presets dev and tsan; =coverage counts what ran.
set(LUMINA_SANITIZE "" CACHE STRING "address (with undefined), thread, coverage, or nothing")
add_library(lumina_sanitizers INTERFACE)
if(LUMINA_SANITIZE STREQUAL "address")
  # Debian's SOCI is built without RTTI for some classes, which vptr would need.
  set(flags -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
elseif(LUMINA_SANITIZE STREQUAL "thread")
  set(flags -fsanitize=thread -fno-omit-frame-pointer)
elseif(LUMINA_SANITIZE STREQUAL "coverage")
  set(flags -fprofile-instr-generate -fcoverage-mapping)
endif()
target_compile_options(lumina_sanitizers INTERFACE ${flags})
target_link_options(lumina_sanitizers INTERFACE ${flags})
