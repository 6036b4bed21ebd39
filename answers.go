package assay

// Answers says who reads the answers of a dataset over the API: of each sample the
// reference fix, what it did to the tests, and the lists of expected tests. Who has the
// server's data directory reads them whatever it says.
type Answers string

// The settings of a dataset.
const (
	AnswersPublic    Answers = "public"    // everybody, also without a token
	AnswersUsers     Answers = "users"     // who has a token; of a dataset of which nothing was said
	AnswersOperators Answers = "operators" // nobody over the API
)

// Valid tells whether a is one of the settings.
func (a Answers) Valid() bool {
	return a == AnswersPublic || a == AnswersUsers || a == AnswersOperators
}

// OpenTo tells whether somebody reads the answers over the API: a user of the server,
// or somebody unknown. A setting that is none opens to nobody.
func (a Answers) OpenTo(user bool) bool {
	return a == AnswersPublic || a == AnswersUsers && user
}
