package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"assay/internal/telemetry"
	"assay/internal/wake"
)

// queueName and the kind below are stored with each job: they never change.
const queueName = "verification"

// verificationArgs is what is stored of a job.
type verificationArgs struct {
	ID string `json:"id"`
}

func (verificationArgs) Kind() string { return "verify" }

func (verificationArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queueName} }

// verifier does the jobs of verifications.
type verifier struct {
	river.WorkerDefaults[verificationArgs]
	verify func(ctx context.Context, id string) error
	news   *wake.Hub
}

func (v *verifier) Work(ctx context.Context, job *river.Job[verificationArgs]) error {
	v.news.Notify(newsKey)
	defer v.news.Notify(newsKey)
	err := v.verify(originOf(job.JobRow).Context(ctx), job.Args.ID)
	if err != nil && ctx.Err() != nil {
		return river.JobSnooze(0) // Stop cut it short: no failure, and first at the next start
	}
	return err
}

// originOf returns the request on whose behalf a job was enqueued; none for a job whose
// metadata cannot be read.
func originOf(job *rivertype.JobRow) (o telemetry.Origin) {
	if json.Unmarshal(job.Metadata, &o) != nil {
		return telemetry.Origin{}
	}
	return o
}

// pauses are those between the attempts of a job whose function fails: a second, then
// twice as long each time, up to ten minutes.
type pauses struct{}

func (pauses) NextRetry(job *rivertype.JobRow) time.Time {
	const longest = 10 * time.Minute
	pause := longest
	if n := len(job.Errors); n < 10 { // those before this one
		pause = min(time.Second<<n, longest)
	}
	return time.Now().Add(pause)
}

// failures logs the jobs whose function failed.
type failures struct{ log *slog.Logger }

func (f *failures) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	f.log.ErrorContext(originOf(job).Context(ctx), "job failed; it is tried again", "kind", job.Kind, "args", string(job.EncodedArgs), "attempt", job.Attempt, "err", err)
	return nil
}

func (f *failures) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	f.log.ErrorContext(originOf(job).Context(ctx), "job panicked; it is tried again", "kind", job.Kind, "args", string(job.EncodedArgs), "attempt", job.Attempt, "panic", fmt.Sprint(value), "trace", trace)
	return nil
}

// warnings lets through what the library says from warnings up: the rest is about
// itself.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}

func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }
