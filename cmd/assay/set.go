package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"assay"
	"assay/internal/dataset"
)

type datasetSetCmd struct {
	localFlags
	Name             string   `arg:"" help:"Name of the dataset."`
	Answers          string   `enum:",public,users,operators" default:"" placeholder:"public|users|operators" help:"Who reads the reference fixes, the patches of tests and the lists of tests over the API."`
	Rounds           *int     `placeholder:"N" help:"How many rounds of altered tests judge a work that looks solved, 1 to 8."`
	MaxOdds          *float64 `placeholder:"X" help:"The chance of who guesses that more rounds are played for, above 0 and at most 1."`
	RequireAssurance string   `enum:",default,uncontrolled,controlled_partial,controlled,blind_partial,blind" default:"" placeholder:"ASSURANCE" help:"The least assurance of a verdict that a work is solved, from uncontrolled to blind."`
	Fresh            string   `enum:",default,inform,require,off" default:"" placeholder:"inform|require|off" help:"What true tests with inputs that nobody has seen are for."`
	Feedback         string   `enum:",default,full,verdict" default:"" placeholder:"full|verdict" help:"How much is told of a verdict over the API."`
	Known            string   `enum:",default,public,private" default:"" placeholder:"public|private" help:"Who may know the answers from elsewhere: anybody, or nobody who is judged."`
	JSON             bool     `name:"json" help:"Print JSON."`
}

func (*datasetSetCmd) Help() string {
	return `What is set here counts at once, for all versions of all samples, and whatever the dataset's folder says, each
setting for itself. 0 and "default" take the operator's word back: then the folder's holds, or else the server's.

--answers public: everybody, also without a token. users: who has an API key or an access token. operators: nobody;
read them with "assay dataset show". Verdicts tell which tests were expected all the same, but with --feedback verdict.

--feedback verdict: of a verdict, all keys and tokens are told whether the task is solved and how sure that is, and
nothing that the tests said.

    assay dataset set starter --answers operators
    assay dataset set starter --rounds 5 --require-assurance controlled --feedback default`
}

func (c *datasetSetCmd) change() dataset.JudgingChange {
	return dataset.JudgingChange{
		Rounds: c.Rounds, MaxOdds: c.MaxOdds,
		RequireAssurance: anew[assay.Assurance](c.RequireAssurance),
		Fresh:            anew[assay.Fresh](c.Fresh),
		Feedback:         anew[assay.Feedback](c.Feedback),
		Known:            anew[assay.Known](c.Known),
	}
}

// anew is what a flag says of a setting: nil when it was not given, and nothing for default.
func anew[T ~string](flag string) *T {
	switch flag {
	case "":
		return nil
	case "default":
		return new(T(""))
	}
	return new(T(flag))
}

func (c *datasetSetCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	change := c.change()
	if c.Answers == "" && change.Empty() {
		return usageError{errors.New("say what to set, such as --answers users or --rounds 5")}
	}
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	var d *assay.Dataset
	if !change.Empty() {
		if d, err = a.Datasets.SetJudging(ctx, c.Name, change); err != nil {
			return err
		}
	}
	if c.Answers != "" {
		if d, err = a.Datasets.SetAnswers(ctx, c.Name, assay.Answers(c.Answers)); err != nil {
			return err
		}
	}
	if c.JSON {
		return writeJSON(std.out, listed(d))
	}
	return tellSet(std.out, d, c.Answers != "", !change.Empty())
}

func tellSet(w io.Writer, d *assay.Dataset, answers, judging bool) error {
	if answers {
		if _, err := fmt.Fprintf(w, "%s: answers are for %s\n", d.Name, d.Answers); err != nil {
			return err
		}
	}
	if !judging {
		return nil
	}
	j := d.Judging
	_, err := fmt.Fprintf(w, "%s: %d rounds, odds of at most %s, assurance of at least %s, fresh truths: %s, feedback: %s, known: %s\n",
		d.Name, j.Rounds, oneIn(j.MaxOdds), j.RequireAssurance, j.Fresh, j.Feedback, j.Known)
	return err
}

// listedJudging is how a dataset is judged, as GET /datasets tells it.
type listedJudging struct {
	Rounds           int             `json:"rounds"`
	MaxOdds          float64         `json:"max_odds"`
	RequireAssurance assay.Assurance `json:"require_assurance"`
	Fresh            assay.Fresh     `json:"fresh"`
	Feedback         assay.Feedback  `json:"feedback"`
	Known            assay.Known     `json:"known"`
}
