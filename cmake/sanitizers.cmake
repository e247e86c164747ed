# -DLUMINA_SANITIZE=address, =thread or =fuzzer, chosen by the presets dev, tsan and fuzz; =coverage counts what ran.
set(LUMINA_SANITIZE "" CACHE STRING "address (with undefined), thread, fuzzer (as address), coverage, or nothing")
add_library(lumina_sanitizers INTERFACE)
if(LUMINA_SANITIZE STREQUAL "address")
  # Debian's SOCI is built without RTTI for some classes, which vptr would need.
  set(flags -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
elseif(LUMINA_SANITIZE STREQUAL "fuzzer")
  set(flags -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined
    -fno-omit-frame-pointer)
elseif(LUMINA_SANITIZE STREQUAL "thread")
  set(flags -fsanitize=thread -fno-omit-frame-pointer)
elseif(LUMINA_SANITIZE STREQUAL "coverage")
  set(flags -fprofile-instr-generate -fcoverage-mapping)
endif()
target_compile_options(lumina_sanitizers INTERFACE ${flags})
target_link_options(lumina_sanitizers INTERFACE ${flags})
