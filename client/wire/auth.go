package wire

// GitHubLogin asks to log in with a code of GitHub's.
type GitHubLogin struct {
	Code  string `json:"code" minLength:"1" maxLength:"512" pattern:"^[^\\x00]*$" patternDescription:"free of NUL characters" example:"5f0c4d7a1b9e" doc:"What GitHub sent the browser back with. It works once"`
	State string `json:"state,omitempty" nullable:"true" maxLength:"512" doc:"What GitHub sent the browser back with beside the code, if the login began at /auth/github/login"`
}

// LoggedIn holds the tokens of a new login. The refresh token is shown nowhere else.
type LoggedIn struct {
	UserID       string `json:"user_id" example:"usr_0dfm6k3b2tvc1r8h5n7pqa4e9s"`
	AccessToken  string `json:"access_token" doc:"What calls carry as bearer token"`
	RefreshToken string `json:"refresh_token" doc:"Makes new access tokens, for 30 days"`
	TokenType    string `json:"token_type" enum:"Bearer"`
	ExpiresIn    int    `json:"expires_in" example:"3600" doc:"Seconds that the access token lives"`
	IsNewUser    bool   `json:"is_new_user" doc:"Whether this login made the user"`
}

// TokenRefresh asks for a new access token.
type TokenRefresh struct {
	RefreshToken string `json:"refresh_token" maxLength:"512" doc:"Of the login"`
}

// TokenRefreshed holds a new access token.
type TokenRefreshed struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type" enum:"Bearer"`
	ExpiresIn   int    `json:"expires_in" example:"3600" doc:"Seconds that the access token lives"`
}

// Logout may name another login to end, beside the one of the access token. (Assay's
// own.)
type Logout struct {
	RefreshToken string `json:"refresh_token,omitempty" nullable:"true" maxLength:"512" doc:"Its login ends too, if it is the caller's"`
}

// LoggedOut is the answer to Logout. (Assay's own.)
type LoggedOut struct {
	Message string `json:"message"`
}
