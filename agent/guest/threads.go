package guest

import (
	"runtime"
	"sync"
)

// spareThreads is how many threads the agent has from its start. When the sandbox
// is at its limit of processes, the kernel makes no thread either, and Go ends a
// program that needs one; threads that were made once stay, and are used again. A
// fork bomb needs about ten; they count towards the limit.
const spareThreads = 24

// reserveThreads makes n threads and leaves them idle.
func reserveThreads(n int) {
	var there, gone sync.WaitGroup
	there.Add(n)
	for range n {
		gone.Go(func() {
			runtime.LockOSThread() // so that no two of them share a thread
			defer runtime.UnlockOSThread()
			there.Done()
			there.Wait()
		})
	}
	gone.Wait()
}
