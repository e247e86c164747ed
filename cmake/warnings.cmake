# Strict warnings for our own code, as errors.
add_library(lumina_warnings INTERFACE)
target_compile_options(lumina_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough -Werror
  -Wno-c23-extensions -Wno-missing-field-initializers)
