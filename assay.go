// Package assay is the vocabulary of the program: what a dataset, a sample, a
// session, a command and a verdict are, which states they go through, and how
// errors are named. It imports the standard library only, and everything else
// imports it.
//
// A Dataset holds Samples: a repository before a real fix, the issue text, and the
// tests that tell. A Session is a sandbox made from a sample, in which an agent
// runs commands (Interactions) and edits files. A Verification judges the work of
// a session and ends in a Verdict.
package assay
