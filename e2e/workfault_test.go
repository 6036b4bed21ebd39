package e2e_test

import (
	"strings"
	"testing"

	"assay"
	"assay/client/wire"
)

// workShape is a way in which an agent can leave its work tree.
type workShape struct {
	name   string
	sample string // defaults to quick
	script string // makes it, from /
	notRun string // in the reason of a verdict without a suite; "" when the suite runs
	diff   int    // status of GET .../diff
}

// nest makes $1 directories in one another, of which each has a name of $2 bytes, and in the
// last one $3 files. No path of it is said in one call.
const nest = `nest() { perl -e '($n, $size, $files) = @ARGV; chdir "/testbed"; $d = "0" x $size; for (1 .. $n) { mkdir $d and chdir $d or die "$_: $!" }
	for (1 .. $files) { open(F, ">", $_) or die $! }' "$@"; }; `

var workShapes = []workShape{
	// The work tree itself.
	{name: "removed", sample: semver, script: `rm -rf /testbed`, notRun: "/testbed", diff: 400},
	{name: "moved away", script: `mv /testbed /elsewhere`, notRun: "/testbed", diff: 400},
	{name: "link to the root", sample: semver, script: `mv /testbed /old; ln -s / /testbed`, notRun: "/testbed is a symbolic link", diff: 400},
	{name: "link to etc", script: `mv /testbed /old; ln -s /etc /testbed`, notRun: "/testbed is a symbolic link", diff: 400},
	{name: "dangling link", script: `mv /testbed /old; ln -s /nowhere /testbed`, notRun: "/testbed is a symbolic link", diff: 400},
	{name: "file", script: `rm -r /testbed; echo work > /testbed`, notRun: "/testbed is a file", diff: 400},
	{name: "pipe", script: `rm -r /testbed; mkfifo /testbed`, notRun: "/testbed", diff: 400},
	{name: "socket", script: `rm -r /testbed; perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "/testbed", Listen => 1) or die'`, notRun: "/testbed", diff: 400},
	{name: "mounted over", script: `mount -t tmpfs none /testbed || unshare -Urm mount -t tmpfs none /testbed || true`, diff: 200},
	{name: "emptied with the repository", script: `rm -rf /testbed; mkdir /testbed`, diff: 200},
	{name: "unreadable", script: `chmod -R 000 /testbed`, diff: 200},

	// Too much of it.
	{name: "too many files", sample: semver, script: `cd /testbed; mkdir many; cd many; seq 20100 | xargs touch`, notRun: "more than 20,000 files", diff: 413},
	{name: "too many bytes", script: `cd /testbed; truncate -s 300M zeros`, notRun: "more than 256 MiB", diff: 413},
	{name: "terabytes of nothing", script: `cd /testbed; truncate -s 8T zeros`, notRun: "more than 256 MiB", diff: 413},
	{name: "hard links", script: `cd /testbed; head -c 3M /dev/urandom > a; for i in $(seq 200); do ln a l$i; done`, notRun: "more than 256 MiB", diff: 413},
	{name: "more than fits once links are copies", script: `cd /testbed; truncate -s 2M a; for i in $(seq 124); do ln a l$i; done; echo yes > answer`, notRun: "more room on the disk", diff: 200},
	{name: "a file that grows", script: `cd /testbed; (while :; do head -c 10000; done < /dev/zero > grows & echo $! > /tmp/pid)`, diff: 0},

	// Names.
	{name: "names that take too long to say", sample: semver, script: nest + `nest 3000 200 1`, notRun: "more than 4,095 bytes", diff: 413},
	{name: "deep", script: nest + `nest 300 1 1`, notRun: "more than 255 directories", diff: 413},
	{name: "longer than a path may be", script: nest + `nest 30 200 1`, notRun: "more than 4,095 bytes", diff: 413},
	{name: "many long names", script: nest + `nest 19 200 9000`, notRun: "more than 8 MiB together", diff: 413},
	{name: "long names", script: nest + `nest 19 200 300; echo yes > /testbed/answer`, diff: 200},
	{name: "odd names", script: `cd /testbed; touch $'\xff\xfe' $'new\nline' 'back\slash' $'tab\t' '"' "'" $'\u202e' ' ' '-rf' '*' $'\x01'; mkdir $'d\xff'; echo import > $'d\xff/\xfe.py'; echo yes > answer`, diff: 200},
	{name: "names of whiteouts", script: `cd /testbed; touch .wh.README.md .wh..wh..opq .wh. .wh.. .wh..wh. .wh..wh.plnk; mkdir .wh.dir; touch .wh.dir/x; mkdir sub; touch sub/.wh..wh..opq; mkfifo .wh..opq ..opq; echo yes > answer`, diff: 200},
	{name: "a huge link", script: `cd /testbed; ln -s "$(printf '%04095d' 0)" huge; ln -s "$(printf 'd/%.0s' $(seq 2000))" long; ln -s loop loop; echo yes > answer`, diff: 200},

	// Kinds that change places.
	{name: "kinds", script: `cd /testbed; for f in *; do if [ -d "$f" ]; then rm -r "$f"; echo "import sys" > "$f"; else rm "$f"; mkdir "$f"; echo "x = 1" > "$f/x.py"; fi; done; echo yes > answer`, diff: 200},
	{name: "links in place", script: `cd /testbed; for f in *; do rm -r "$f"; ln -s "$f" "$f"; done; echo yes > answer`, diff: 200},
	{name: "special files", script: `cd /testbed; for f in *; do rm -r "$f"; mkfifo "$f"; done; echo yes > answer`, diff: 200},
	{name: "attributes", script: `cd /testbed; for f in *; do setfattr -n user.overlay.opaque -v y "$f"; setfattr -n trusted.overlay.whiteout -v y "$f"; done; touch -d 1901-01-01 answer; touch -d 2400-01-01 later; chmod 7777 later; echo yes > answer; true`, diff: 200},
	{name: "a check that is a directory", script: `cd /testbed; mkdir -p check.sh/x/y; echo yes > answer`, diff: 200},
}

// Whatever an agent makes of its work tree, its verification ends with a verdict, which is
// the same when it is asked for again.
func TestWhatTheWorkCausesIsAVerdict(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	for _, shape := range workShapes {
		t.Run(shape.name, func(t *testing.T) {
			sample := shape.sample
			if sample == "" {
				sample = "quick"
			}
			s := c.open(t, sample)
			made := c.run(t, s, "cd /; "+shape.script)
			if *made.ExitCode != 0 {
				t.Fatalf("it cannot be made: %s", show(made))
			}
			first := shape.judged(t, c, s)
			if again := shape.judged(t, c, s); again.Reason != first.Reason && shape.notRun != "" {
				t.Errorf("judged again, it is %q; it was %q", again.Reason, first.Reason)
			}
			if shape.diff != 0 {
				if r := c.call(t, "GET", "/sessions/"+s+"/diff", nil); r.status != shape.diff {
					t.Errorf("its diff is answered with %d, not %d: %.500s", r.status, shape.diff, r.body)
				}
			}
		})
	}
}

func (w workShape) judged(t *testing.T, c caller, session string) wire.JobResult {
	t.Helper()
	r := c.call(t, "POST", "/sessions/"+session+"/verify", nil)
	id := must[wire.JobStarted](t, r, 202).JobID
	j := c.job(t, session, id)
	if j.Status != assay.VerificationCompleted || j.Result == nil {
		t.Fatalf("it ended as %s: %+v", j.Status, j.Error)
	}
	got := *j.Result
	t.Logf("solved %t: %.300s", got.IsSuccess, got.Reason)
	if w.notRun == "" {
		return got
	}
	if !strings.Contains(got.Reason, w.notRun) {
		t.Errorf("the reason is %q, without %q", got.Reason, w.notRun)
	}
	expected := got.Evidence.Expected
	if got.IsSuccess || !got.Evidence.NotRun || got.ExitCode != assay.ExitUnknown || got.Total != 0 || len(got.Tampering) > 0 || len(got.Missing) != len(expected.FailToPass)+len(expected.PassToPass) {
		t.Errorf("the verdict is %+v", got)
	}
	if r := c.call(t, "GET", "/sessions/"+session+"/verify/"+id+"/verdict", nil); r.status != 200 {
		t.Errorf("its envelope is answered with %d: %.500s", r.status, r.body)
	}
	if w.diff >= 400 {
		refused(t, c.call(t, "GET", "/sessions/"+session+"/diff?job_id="+id, nil), 404, assay.CodeNotFound)
	}
	return got
}
