// Memory that was needed for a moment, given back to the system.
#pragma once

namespace lumina::runtime {

// After a start: unused pieces of the heap, and the pages of the program and its libraries that only the start
// touched (they are files on the disk, and come back from the page cache when they are used again). Costs some
// milliseconds; any thread.
void give_back_memory();

}  // namespace lumina::runtime
