package verification

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"assay"
	"assay/internal/alteration/search"
	"assay/internal/evaluate"
	"assay/internal/rounds"
)

// Alterations knows what can be altered in the tests of samples. *catalog.Catalog is one.
type Alterations interface {
	// Of returns what is known of a sample; nil for nothing.
	Of(ctx context.Context, sample *assay.Sample) (*search.Result, error)
	// Deal returns what is known of a sample, for a play, and the same sealed; nil for nothing.
	Deal(ctx context.Context, sample *assay.Sample, play string) (hand *search.Hand, sealed []byte, err error)
	// Dealt opens what was dealt to a play; nil if that cannot be opened any more.
	Dealt(ctx context.Context, sealed []byte, play string) *search.Hand
	// NoteShown counts how often a play showed what it was dealt, by the numbers of alterations.
	NoteShown(ctx context.Context, sample *assay.Sample, hand *search.Hand, shown []int) error
}

// Rounds says what works that look solved are judged further with.
type Rounds struct {
	Alterations Alterations    // Defaults to none: there are no rounds
	Secret      []byte         // of the server, that the choices of all plays come from. Must be set with Alterations
	Beside      rounds.Limiter // lets runs of a play go beside each other. Defaults to one after the other
}

// digest returns what names the work of a verification; the same of works that are alike.
type digest func(context.Context) (string, error)

// play judges the work of a verification: by a plain run and, if it looks solved and the
// sample's tests can be altered, by rounds.
func (s *Service) play(ctx context.Context, v *assay.Verification, sample *assay.Sample, plain evaluate.Request, work digest) (*assay.Verdict, error) {
	judging, err := s.cfg.Judging(ctx, v.Dataset)
	if err != nil {
		return nil, fmt.Errorf("read how works on dataset %s are judged: %w", v.Dataset, err)
	}
	req := newPlay(sample, judging, plain)
	if req.Answers.Shown, err = s.shown(ctx, v, judging); err != nil {
		return nil, err
	}
	if err := s.deal(ctx, v, sample, &req, work); err != nil {
		return nil, err
	}
	verdict, outcome, err := s.player.Play(ctx, req)
	s.logPlay(ctx, v, outcome)
	s.noteShown(ctx, v, sample, &req, outcome)
	if err != nil {
		return nil, err
	}
	if err := s.tellRounds(ctx, v, verdict, outcome); err != nil {
		return nil, err
	}
	return verdict, enough(verdict, judging.RequireAssurance)
}

// shown tells whether the agent whose work a verification judges may have been told what the
// sample's tests say: unless the dataset tells verdicts alone, or the key that asks is told no
// more and so was its user, of this version of the sample, until now.
func (s *Service) shown(ctx context.Context, v *assay.Verification, judging assay.Judging) (bool, error) {
	switch {
	case judging.Feedback == assay.FeedbackVerdict:
		return false, nil
	case v.Feedback != assay.FeedbackVerdict:
		return true, nil
	}
	return s.cfg.Store.DetailsTold(ctx, v.UserID, v.Dataset, v.SampleID, v.SampleVersion)
}

// newPlay returns a play by the settings of a sample's dataset, of which nothing is known yet.
func newPlay(sample *assay.Sample, judging assay.Judging, plain evaluate.Request) rounds.Request {
	return rounds.Request{
		Plain: plain, Rounds: judging.Rounds, MaxOdds: judging.MaxOdds, Fresh: judging.Fresh,
		Answers: rounds.Answers{
			Open: sample.Answers.OpenTo(true), Public: judging.Known == assay.KnownPublic, Shown: judging.Feedback != assay.FeedbackVerdict,
		},
	}
}

// deal gives a play what is known of the sample's tests and of its user's earlier plays.
func (s *Service) deal(ctx context.Context, v *assay.Verification, sample *assay.Sample, req *rounds.Request, work digest) error {
	if s.cfg.Rounds.Alterations == nil {
		return nil
	}
	hand, err := s.hand(ctx, v, sample)
	if err != nil {
		return fmt.Errorf("read the alterations of sample %s/%s: %w", v.Dataset, v.SampleID, err)
	}
	if hand == nil || len(hand.Result.Alterations) == 0 {
		return nil
	}
	state, err := s.cfg.Store.NotePlay(ctx, v.ID, assay.PlayBegun, s.cfg.Now().UTC())
	if err != nil {
		return err
	}
	exposure, err := s.cfg.Store.Exposure(ctx, v.UserID, v.Dataset, v.SampleID, v.SampleVersion)
	if err != nil {
		return err
	}
	req.Known, req.Shown = &hand.Result, hand.Shown
	req.Exposure = rounds.Exposure{Refused: exposure.Refused, Unsolved: unsolved(exposure, state)}
	req.Began = func(ctx context.Context) error {
		_, err := s.cfg.Store.NotePlay(ctx, v.ID, assay.PlayReached, s.cfg.Now().UTC())
		return err
	}
	req.SeedOf = func(ctx context.Context) (rounds.Seed, error) {
		name, err := work(ctx)
		if err != nil {
			return rounds.Seed{}, err
		}
		return rounds.DeriveSeed(s.cfg.Rounds.Secret, v.UserID, v.Dataset, v.SampleID, fmt.Sprint(v.SampleVersion), name), nil
	}
	return nil
}

// unsolved is how many earlier works of a user the plain run refused. One learns of those, too:
// who lets pass what a draw of its own picks, and draws anew until that is all of the plain
// run, has a rule that picks the true tests and hardly any other.
func unsolved(e assay.Exposure, state assay.PlayState) int {
	n := e.Plays - e.Reached
	if state == assay.PlayBegun {
		n-- // this one
	}
	return max(0, n)
}

// hand returns what a play is dealt: the first attempt at a verification stores it, and all
// others go on with it, whatever was searched meanwhile: who is shown two sets of alterations
// tells the true tests by what they share.
func (s *Service) hand(ctx context.Context, v *assay.Verification, sample *assay.Sample) (*search.Hand, error) {
	sealed, err := s.dir.ReadFile(handName(v.ID))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		if hand := s.cfg.Rounds.Alterations.Dealt(ctx, sealed, v.ID); hand != nil {
			return hand, nil
		}
	}
	hand, sealed, err := s.cfg.Rounds.Alterations.Deal(ctx, sample, v.ID)
	if err != nil || hand == nil {
		return nil, err
	}
	if err := s.dir.WriteFile(handName(v.ID), sealed, 0o600); err != nil {
		return nil, fmt.Errorf("store what a play is dealt: %w", err)
	}
	return hand, nil
}

func handName(id string) string { return id + ".hand" }

// noteShown counts what a play showed, as far as it came. It costs no verdict.
func (s *Service) noteShown(ctx context.Context, v *assay.Verification, sample *assay.Sample, req *rounds.Request, o *rounds.Outcome) {
	if o == nil || !o.Began {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	if err := s.cfg.Rounds.Alterations.NoteShown(ctx, sample, &search.Hand{Result: *req.Known, Shown: req.Shown}, o.Shown); err != nil {
		s.cfg.Log.WarnContext(ctx, "cannot count what was shown in rounds", "verification", v.ID, "err", err)
	}
}

// noteTimeout bounds what is stored of a play whose server stops.
const noteTimeout = 5 * time.Second

// digestOfWork names a work by its patch or, where none was made, by what was stored of it.
func (s *Service) digestOfWork(v *assay.Verification, e *examined) (string, error) {
	if e != nil && e.work.Patch.SHA256 != "" {
		return e.work.Patch.SHA256, nil
	}
	f, err := s.dir.Open(changesName(v.ID))
	if err != nil {
		return "", fmt.Errorf("open the session's changes: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("read the session's changes: %w", err)
	}
	return "changes:" + hex.EncodeToString(sum.Sum(nil)), nil
}

// tellRounds adds to a verdict what may be told of its rounds.
func (s *Service) tellRounds(ctx context.Context, v *assay.Verification, verdict *assay.Verdict, o *rounds.Outcome) error {
	noteRounds(verdict, o)
	if !o.Began {
		return nil
	}
	exposure, err := s.cfg.Store.Exposure(ctx, v.UserID, v.Dataset, v.SampleID, v.SampleVersion)
	if err != nil {
		return err
	}
	if e := &verdict.Evidence; e.Odds > 0 { // with what ended while it was played
		e.OddsWithRetries = assay.OddsWithRetries(e.Rounds, e.Odds, exposure.Refused+unsolved(exposure, assay.PlayReached))
	}
	if o.End == rounds.Refused {
		exposure.Refused++
	}
	verdict.Evidence.Exposure = exposure
	return nil
}

// noteRounds adds to a verdict what rounds say of its work.
func noteRounds(verdict *assay.Verdict, o *rounds.Outcome) {
	e, told := &verdict.Evidence, o.Told
	if !o.Began {
		if verdict.Solved {
			e.Assurance = cmp.Or(told.Assurance, assay.AssuranceUncontrolled)
		}
		return
	}
	e.Rounds, e.Assurance, e.Doubted = told.Rounds, told.Assurance, told.Doubted
	e.Odds, e.OddsWithRetries, e.OddsOfAll = told.Odds, told.OddsWithRetries, told.OddsOfAll
	e.Covered = assay.Covered{Covered: told.Covered, Of: told.Of}
	e.Fresh = assay.FreshTruths{Checked: told.Fresh, Differs: told.FreshDiffers}
	if o.End != rounds.Refused {
		verdict.Reason += fmt.Sprintf(", and did what they must in %d rounds in which some were altered", told.Rounds)
	}
}

// enough tells whether a verdict that a work is solved holds as much as is demanded of it.
func enough(verdict *assay.Verdict, least assay.Assurance) error {
	got := cmp.Or(verdict.Evidence.Assurance, assay.AssuranceUncontrolled)
	if !verdict.Solved || got.AtLeast(least) {
		return nil
	}
	return assay.Errorf(assay.CodeAssuranceTooLow,
		"the dataset demands verdicts of assurance %s, and this sample's can be %s only; its operator can search more alterations of its tests, or demand less", least, got)
}

// logPlay tells operators what became of rounds.
func (s *Service) logPlay(ctx context.Context, v *assay.Verification, o *rounds.Outcome) {
	if o == nil || !o.Began {
		return
	}
	log := s.cfg.Log.With("verification", v.ID)
	log.InfoContext(ctx, "rounds played", "end", o.End, "assurance", o.Told.Assurance, "runs", o.Runs, "void", o.Voids, "doubted", o.Told.Doubted)
	if len(o.Flaky) > 0 {
		log.WarnContext(ctx, "the reference fix passed altered tests", "alterations", len(o.Flaky))
	}
	if o.FreshErr != nil {
		log.WarnContext(ctx, "cannot compare a work on fresh inputs", "err", o.FreshErr)
	}
}

// playEnd is what a verdict says of its play.
func playEnd(verdict *assay.Verdict) assay.PlayState {
	switch {
	case verdict == nil || verdict.Evidence.Rounds == 0:
		return ""
	case verdict.Solved:
		return assay.PlaySolved
	}
	return assay.PlayRefused
}
