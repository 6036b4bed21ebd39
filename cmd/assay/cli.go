package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"assay/internal/app"
	"assay/internal/dataset"
)

// stdio is what the program talks through.
type stdio struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// interactive tells whether a person watches standard error: progress is drawn
// there and nowhere else.
func (s stdio) interactive() bool {
	f, ok := s.err.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// asks tells whether a person can be asked something.
func (s stdio) asks() bool {
	f, ok := s.in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && s.interactive()
}

// agree asks a person, and returns an error unless the answer is yes.
func (s stdio) agree(ctx context.Context, question string) error {
	fmt.Fprint(s.err, question, " [y/N] ")
	answers := make(chan string, 1)
	go func() { // which ends with the program, when it is interrupted meanwhile
		line, _ := bufio.NewReader(s.in).ReadString('\n') // no answer is no
		answers <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return interrupted("nothing was done", ctx.Err())
	case answer := <-answers:
		if answer == "y" || answer == "yes" {
			return nil
		}
		return errors.New("nothing was done: the answer was not yes")
	}
}

// grammar is the command line. Each verb is a struct with its flags and a Run.
type grammar struct {
	Serve   serveCmd   `cmd:"" help:"Serve the API."`
	Doctor  doctorCmd  `cmd:"" help:"Check what a server needs of this host, and say what to do."`
	Config  configCmd  `cmd:"" help:"Print the configuration in force, and where each value comes from."`
	Migrate migrateCmd `cmd:"" help:"Bring the schema of the database up to date."`
	Version versionCmd `cmd:"" help:"Print the version."`

	GuardFrozen guardFrozenCmd `cmd:"" hidden:""` // app.GuardVerb

	User struct {
		Create  userCreateCmd  `cmd:"" help:"Make a user and an API key, which is shown once."`
		List    userListCmd    `cmd:"" help:"List the users."`
		Show    userShowCmd    `cmd:"" help:"Show a user, with keys and logins."`
		Disable userDisableCmd `cmd:"" help:"Turn a user away, at once: keys, tokens and logins."`
		Enable  userEnableCmd  `cmd:"" help:"Let a user in again; its keys open again, its logins do not."`
		Credit  userCreditCmd  `cmd:"" help:"Give a user money of the house, or take some away."`
	} `cmd:"" help:"Users of the API."`
	Key struct {
		Create keyCreateCmd `cmd:"" help:"Make an API key, which is shown once."`
		Revoke keyRevokeCmd `cmd:"" help:"Revoke an API key, at once."`
	} `cmd:"" help:"API keys of users."`
	Keys struct {
		Rotate keysRotateCmd `cmd:"" help:"Make a new key that signs access tokens, or verdicts."`
	} `cmd:"" help:"Keys of the server."`
	Billing struct {
		Check billingCheckCmd `cmd:"" help:"Prove the books."`
	} `cmd:"" help:"The ledger."`
	Audit   auditCmd `cmd:"" help:"Show who did what, newest last."`
	Dataset struct {
		Import   datasetImportCmd   `cmd:"" help:"Import a dataset, or what changed in it."`
		List     datasetListCmd     `cmd:"" help:"List the datasets."`
		Show     datasetShowCmd     `cmd:"" help:"Show a dataset, or a sample with its answers."`
		Set      datasetSetCmd      `cmd:"" help:"Say who reads the answers of a dataset, and how its works are judged."`
		Validate datasetValidateCmd `cmd:"" help:"Prove that the tests of a dataset tell a fix from no fix."`

		Alterations datasetAlterationsCmd `cmd:"" help:"Find edits of a dataset's tests that tell an answer from a forgery."`

		Quarantine datasetQuarantineCmd `cmd:"" help:"Keep tests that flake from being graded."`
	} `cmd:"" help:"Datasets: folders of tasks."`
	Image struct {
		Load  imageLoadCmd  `cmd:"" help:"Load images from a file or folder."`
		Pull  imagePullCmd  `cmd:"" help:"Pull an image from a registry."`
		List  imageListCmd  `cmd:"" help:"List the images."`
		Rm    imageRmCmd    `cmd:"" help:"Remove an image."`
		Prune imagePruneCmd `cmd:"" help:"Free what no image and no sandbox uses."`
	} `cmd:"" help:"Images that tasks run in."`
	Session sessionGroup `cmd:"" help:"Work on a task through a server."`
	Verdict struct {
		Get   verdictGetCmd   `cmd:"" help:"Print a signed verdict."`
		Check verdictCheckCmd `cmd:"" help:"Check the signature of a verdict, and print it."`

		Rejudge  verdictRejudgeCmd  `cmd:"" help:"Judge works again by the rules of now; an operator's, on the data directory."`
		Withdraw verdictWithdrawCmd `cmd:"" help:"Take a verdict back; an operator's, on the data directory."`
	} `cmd:"" help:"Signed verdicts."`
}

const description = `Assay gives coding agents real software-engineering tasks, and judges their work.

serve, doctor, migrate, user, key, keys, audit, billing, dataset and image work on a data directory (--data-dir,
ASSAY_DATA_DIR) and its database (--database-url, ASSAY_DATABASE_URL), beside a running server or without one.
session and verdict speak to a server (--server, ASSAY_SERVER) with an API key (ASSAY_API_KEY), but for verdict withdraw.

Exit status: 0 done; 1 it failed, or the answer is no; 2 the command line or the configuration is wrong;
125 "session exec" and "session verify" could not find out; 130 interrupted. "session exec" passes on the
status of the command.`

// run runs one command line. Its error is for report.
func run(ctx context.Context, args []string, std stdio) error {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	var (
		cli  grammar
		done bool // kong wants to exit: it has shown help
	)
	parser, err := kong.New(&cli,
		kong.Name("assay"),
		kong.Description(description),
		kong.Writers(std.out, std.err),
		kong.Exit(func(int) { done = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(std),
		kong.Vars{"formats": strings.Join(dataset.Formats(), ", ")},
	)
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if done {
		return nil
	}
	if err != nil {
		return usageError{fmt.Errorf("%w; see %s --help", err, helpFor(parsed, err))}
	}
	return parsed.Run()
}

// helpFor names the command whose help explains err.
func helpFor(parsed *kong.Context, err error) string {
	var wrong *kong.ParseError
	if parsed == nil && errors.As(err, &wrong) {
		parsed = wrong.Context
	}
	if parsed == nil {
		return "assay"
	}
	words := []string{"assay"}
	for _, p := range parsed.Path {
		if p.Command != nil {
			words = append(words, p.Command.Name)
		}
	}
	return strings.Join(words, " ")
}

// given lists the flags of a command line.
func given(parsed *kong.Context) []string {
	var names []string
	for _, p := range parsed.Path {
		if p.Flag != nil {
			names = append(names, p.Flag.Name)
		}
	}
	return names
}

type versionCmd struct{}

func (versionCmd) Run(std stdio) error {
	_, err := fmt.Fprintln(std.out, "assay", app.Version)
	return err
}
