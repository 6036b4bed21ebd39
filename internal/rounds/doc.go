// Package rounds plays: it judges a work that looks solved by rounds in which some of its
// tests are altered, such that who cannot tell an altered test from a true one, but by
// knowing the right answer, comes through by guessing alone. It knows no store, no user and
// no session.
//
// # A play
//
// A play begins with the plain run: all tests as they are, by evaluate. It alone gives what
// users see of a verdict, and ends work that is not solved. Where no alteration of the tests
// is known it is everything, with its canaries and its second run (play.go).
//
// Then there are r rounds, each in a clean sandbox, side by side as far as there is room
// (wave.go, beside.go). The tests are in units (plan.go): those of the search, joined
// where they decide of one graded test, and each other test by itself. In each round one
// alteration of a unit is shown, or none, and edits of one round never overlap. For each
// unit with alterations the sequence over the rounds is uniform over the 2^r-1 with an
// altered round. All that is chosen comes from a seed (seed.go), so that a play which is
// begun again goes on with its draw. In each room the same files are laid, whatever is true
// in them.
//
// A unit is right in a round if its true tests were seen to pass and its altered ones to fail
// (judge.go). What is wrong counts only if the reference fix is right in the same version
// (round.go): else the round is void for that unit, and is run again with the same pattern
// of true and altered. A second void round in a play is our error. Nothing is shown singly.
//
// What comes of a unit (settle in wave.go):
//
//   - A test passed that demands what the true one forbids (search.Alteration.Accuses): the work
//     is refused.
//   - A true test failed, or an altered one was not seen: the unit gets another sequence, once a
//     play, all of which must be right. Its odds are those of both together. All other units
//     are shown true meanwhile, and are not judged.
//   - A test passed whose input is altered: that accuses nobody, since a right solution may differ
//     from the reference there. The unit gets another sequence, of other alterations, those that
//     accuse first. If that happens again, or none is left, it is doubted and covers nothing.
//   - Of a work that is solved, something altered was seen to fail as demanded: of what is to be
//     solved, if it passed several altered versions of that, and something blind, where there is.
//
// # What is promised
//
// Odds are those of the fail_to_pass test that is guessed most easily. Who forges one test
// and solves all others sees in the room what is altered in those. So a test is covered only
// if nothing but itself tells whether it is altered (face.go): it does not share its
// alterations, and where tests share a draw, one of them is covered in a play. Where a unit
// has a blind alteration that covers, only such are shown. A test that fails because a subtest
// does is covered by that subtest. An assurance is blind if all fail_to_pass tests are
// covered, and what caps it is given by the caller (assurance.go). Within one test the odds
// are those of forging what its alterations touch.
//
// With fresh truths (fresh.go) rounds are made of true versions of tests that nobody has seen
// (assay.FreshRequire), or the work is run once on them, to tell where it differs (assay.FreshInform).
//
// # What is a secret
//
// Alterations, seeds and draws are keys. Users learn what Told holds and one wording for
// every work that is refused. Nothing that a round measured is in the verdict, and no edit
// in an Outcome or an error.
package rounds
