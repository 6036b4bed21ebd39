package evaluate

// offline tells tools that there is no network, which they would find out by trying again
// and again: pip took eight seconds of each run of an "install -e .". It is set where neither
// the image nor the dataset says otherwise.
var offline = map[string]string{
	"PIP_RETRIES":                   "0",
	"PIP_DISABLE_PIP_VERSION_CHECK": "1",
	"UV_OFFLINE":                    "1",

	"npm_config_offline":         "true", // what is in its cache is found
	"npm_config_fetch_retries":   "0",
	"npm_config_audit":           "false",
	"npm_config_fund":            "false",
	"npm_config_update_notifier": "false",
	"YARN_ENABLE_NETWORK":        "0",
	"COREPACK_ENABLE_NETWORK":    "0",

	"CARGO_NET_OFFLINE": "true",
	"CARGO_NET_RETRY":   "0",

	"GOPROXY": "off",
	"GOSUMDB": "off",

	"MAVEN_ARGS":  "--offline", // from Maven 3.9 on
	"MAVEN_OPTS":  "-Dmaven.wagon.http.retryHandler.count=0 -Daether.connector.http.retryHandler.count=0",
	"GRADLE_OPTS": "-Dorg.gradle.internal.repository.max.tentatives=1 -Dorg.gradle.internal.repository.max.retries=0",

	"BUNDLE_RETRY":                 "0",
	"BUNDLE_PREFER_LOCAL":          "true",
	"BUNDLE_ALLOW_OFFLINE_INSTALL": "true",

	"COMPOSER_DISABLE_NETWORK": "1",
}
