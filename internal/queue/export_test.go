package queue

import "time"

// LookEvery is how often the queue is looked at although nobody told of a job.
const LookEvery = lookEvery

// PauseAfter is the pause after attempts that failed.
func PauseAfter(failures int) time.Duration { return pauseAfter(failures) }

// HeedWithin sets how long Stop waits for jobs whose context it has ended.
func (q *Queue) HeedWithin(d time.Duration) { q.bound = d }

// Server is what begins the leases of the queue.
func (q *Queue) Server() string { return q.server }
