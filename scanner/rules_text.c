// SPDX-License-Identifier: GPL-2.0-or-later

// Formats that belong to no provider: keys, headers, configuration files, commands.

#include "scanner/rule_rows.h"
#include "scanner/rule_tables.h"

/** More base64, over escapes, ends of lines and joined strings. */
#define BASE64_LINES                                                                     \
	"(?:[A-Za-z0-9+/]++|\\\\{1,4}(?:[nr]|/|u000[adAD])"                              \
	"|\\s{1,12}+(?=[A-Za-z0-9+/]{24}|[A-Za-z0-9+/]{1,23}={1,2}\\s)"                  \
	"|[\"'] ?[,+.&]?\\s{0,12}[\"'](?=[A-Za-z0-9+/]{40})"                             \
	"|[\"'] "                                                                        \
	"?[+.&]?\\s{0,12}[\"'](?=[A-Za-z0-9+/]{2,40}={0,2}(?:\\\\{1,4}n)?[\"']))++"      \
	"={0,2}"

// clang-format off
static const struct rule rows[] = {
	TOKEN("private-key", "Private key", "", "", "RFC 7468", .flags = RULE_CODE),
	MAYBE("encrypted-private-key", "Private key under a passphrase", "", "", "RFC 7468", .flags = RULE_CODE),
	MAYBE("private-key-body", "Private key without its first line", "MIIB|MIIC|MIIE|MIIG|MIIJ|MHcCAQEEI|MHQCAQEEI|MIGkAgEBBD|MIHcAgEBBEI|MC4CAQAwBQYDK2VwBCIEI|MIGHAgEAMBMGByqGSM49AgEG|MIG2AgEAMBAGByqGSM49AgEG|b3BlbnNzaC1rZXktdjEAAAAA", "(?:MII[BCEGJ][A-Za-z0-9+/]{2}IBA(?:AKCA[QgY]|AKBg|AJB|DANBgkqhkiG9w0BAQEFAASC)(?=[A-Za-z0-9+/]{32})|M(?:HcCAQEEI|HQCAQEEI|IGkAgEBBD|IHcAgEBBEI)(?=[A-Za-z0-9+/]{32})|MC4CAQAwBQYDK2VwBCIEI(?=[A-Za-z0-9+/]{32})|MIG(?:HAgEAMBM|2AgEAMBA)GByqGSM49AgEG|b3BlbnNzaC1rZXktdjEAAAAABG5vbmU)" BASE64_LINES, "RFC 8017", .check = check_key_body, .flags = RULE_GLUED | RULE_OPEN_END | RULE_UNFILTERED),
	MAYBE("private-key-encoded", "Private key in lines of base64", "LS0tLS1CRUdJTi", "LS0tLS1CRUdJTi(?:BSU0EgUFJJVkFURSBLRVkt|BQUklWQVRFIEtFWS0t|BFQyBQUklWQVRFIEtFWS0t|BPUEVOU1NIIFBSSVZBVEUgS0VZLS0t|BEU0EgUFJJVkFURSBLRVkt)" BASE64_LINES, "RFC 7468", .check = check_key_body, .flags = RULE_GLUED | RULE_OPEN_END | RULE_UNFILTERED),
	TOKEN("url-password", "Password in a URL", "", "", "RFC 3986", .flags = RULE_CODE),
	TOKEN("jwt", "JSON web token", "eyJ", "eyJ[A-Za-z0-9_-]{10,}={0,2}\\.(?:e[yw][A-Za-z0-9_-]{8,}|e30|ZXlK[A-Za-z0-9_-]{8,})={0,2}\\.[A-Za-z0-9_-]{10,}={0,2}", "RFC 7519", .check = check_jwt, .flags = RULE_UNFILTERED),
	TOKEN("jwe", "Encrypted JSON web token", "eyJ", "eyJ[A-Za-z0-9_-]{20,}\\.[A-Za-z0-9_-]{0,1000}\\.[A-Za-z0-9_-]{16}\\.[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{22}", "RFC 7516", .check = check_jwt, .flags = RULE_UNFILTERED),
	TOKEN("putty-key", "PuTTY private key", "Private-Lines: ", "Private-Lines: [0-9]{1,3}\\r?\\n((?:[A-Za-z0-9+/=]{4,64}\\r?\\n){1,300})", "the.earth.li/~sgtatham/putty", .group = 1, .flags = RULE_OPEN_END),
	TOKEN("nkey-seed", "NATS nkey seed", "NKEY SEED-----", "NKEY SEED-----\\s{1,4}(S[UAONCX][A-Z2-7]{56})", "docs.nats.io", .group = 1, .flags = RULE_GLUED),
	TOKEN("nkey-seed-bare", "NATS nkey seed by itself", "SUAA|SUAB|SUAC|SUAD|SUAE|SUAF|SUAG|SUAH|SUAI|SUAJ|SUAK|SUAL|SUAM|SUAN|SUAO|SUAP|SAAA|SAAB|SAAC|SAAD|SAAE|SAAF|SAAG|SAAH|SAAI|SAAJ|SAAK|SAAL|SAAM|SAAN|SAAO|SAAP|SOAA|SOAB|SOAC|SOAD|SOAE|SOAF|SOAG|SOAH|SOAI|SOAJ|SOAK|SOAL|SOAM|SOAN|SOAO|SOAP", "S[UAO]A[A-P][A-Z2-7]{54}", "docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth", .check = check_nkey, .flags = RULE_UNWRAPPED),
	TOKEN("okta-ssws", "Okta API token in a header", "SSWS 00", "SSWS (00[A-Za-z0-9_-]{40})", "developer.okta.com/docs/reference/core-okta-api", .group = 1, .flags = RULE_GLUED | RULE_UNWRAPPED),
	MAYBE("htpasswd", "Password hash of a user", ":$apr1$|:$2y$|:$2a$|:$2b$|:$6$|:$5$|:$y$|:$1$|:{SHA}|:{SSHA}|:$argon2|grub.pbkdf2.", "(?::|(?=grub))(grub\\.pbkdf2\\.sha512\\.[0-9]+\\.[0-9A-F]{64,256}\\.[0-9A-F]{64,256}|\\$1\\$[A-Za-z0-9./]{1,8}\\$[A-Za-z0-9./]{22}|\\{SSHA\\}[A-Za-z0-9+/]{32,60}={0,2}|\\$apr1\\$[A-Za-z0-9./]{1,8}\\$[A-Za-z0-9./]{22}|\\$2[aby]\\$[0-9]{2}\\$[A-Za-z0-9./]{53}|\\$[56]\\$(?:rounds=[0-9]+\\$)?[A-Za-z0-9./]{1,16}\\$[A-Za-z0-9./]{43,86}|\\$y\\$[A-Za-z0-9./]{1,8}\\$[A-Za-z0-9./]{1,86}\\$[A-Za-z0-9./]{43}|\\{SHA\\}[A-Za-z0-9+/]{27}=|\\$argon2(?:id|i|d)\\$v=[0-9]+\\$[a-z0-9=,]+\\$[A-Za-z0-9+/]{8,}\\$[A-Za-z0-9+/]{16,})", "httpd.apache.org/docs", .group = 1, .flags = RULE_GLUED | RULE_OPEN_END),
	TOKEN("authorization-basic", "Basic credentials in a header", "~authorization: basic |~authorization\": \"basic |~authorization': 'basic |~authorization=basic |~authorization\":\"basic ", "(?i:authorization[\"']?[:=] ?[\"']?basic )([A-Za-z0-9+/_-]{8,500}={0,2})", "RFC 7617", .group = 1, .check = check_basic_auth, .flags = RULE_GLUED | RULE_UNFILTERED | RULE_OPEN_END),
	TOKEN("docker-auth", "Registry credentials", "\"auth\":|\\\"auth\\\":", "\\\\?\"auth\\\\?\":\\s{0,4}\\\\?\"([A-Za-z0-9+/]{8,4000}={0,2})\\\\?\"", "docs.docker.com/reference/cli", .group = 1, .check = check_basic_auth, .flags = RULE_OPEN_END | RULE_UNFILTERED | RULE_GLUED),
	TOKEN("npmrc-auth", "npm registry credentials", ":_authToken=|:_auth=|:_password=|:_authToken = ", ":_(?:authToken|auth|password) ?= ?\"?([A-Za-z0-9+/=_.-]{8,500})", "docs.npmjs.com/cli/npmrc", .group = 1, .check = check_registry_auth, .flags = RULE_GLUED | RULE_OPEN_END),
	TOKEN("bearer-header", "Bearer token in a header", "~authorization: bearer |~authorization: token |~authorization\": \"bearer |~authorization': 'bearer |~authorization\":\"bearer |~authorization: apikey ", "(?i:authorization[\"']?[:=] ?[\"']?(?:bearer|token|apikey) )([A-Za-z0-9._~+/-]{16,4000}={0,2})", "RFC 6750", .group = 1, .check = check_token, .flags = RULE_GLUED | RULE_OPEN_END),
	MAYBE("netrc-password", "Password in .netrc", "~machine ", "(?i:machine)\\s+\\S{1,200}\\s+(?:login\\s+\\S{1,200}\\s+)(?:account\\s+\\S{1,200}\\s+)?password\\s+(\\S{3,200})", "man 5 netrc", .group = 1, .flags = RULE_HUMAN | RULE_OPEN_END),
	MAYBE("pgpass-password", "Password in .pgpass", ":5432:|:5433:|:6432:", ":(?:5432|5433|6432):[^:\\s]{1,64}:[^:\\s]{1,64}:(\\S{3,200})", "www.postgresql.org/docs", .group = 1, .flags = RULE_HUMAN | RULE_OPEN_END | RULE_GLUED),
	MAYBE("curl-user", "Password of curl -u", "curl ", "curl (?:(?:[^\\n|;\\\\]|\\\\.|\\\\\\r?\\n){0,400}? )?(?:-u|--user|--proxy-user|-U)(?: ?|=)(?|\"[^\\s:\"$]{1,100}:([^\\n\"]{3,200})\"|'[^\\s:']{1,100}:([^\\n']{3,200})'|[^\\s:\"'$]{1,100}:([^\\s\"'`@]{3,200}))", "man 1 curl", .group = 1, .flags = RULE_HUMAN | RULE_OPEN_END),
	MAYBE("mysql-password-flag", "Password of mysql -p", "mysql |mysqldump |mysqladmin |mariadb ", "(?:mysql(?:dump|admin)?|mariadb) (?:[^\\n|;]{0,200}? )?-p(?|'([^'\\n]{3,100})'|\"([^\"$\\n]{3,100})\"|([^\\s\"'$-][^\\s\"']{2,100}))", "dev.mysql.com/doc", .group = 1, .flags = RULE_HUMAN | RULE_OPEN_END),
	MAYBE("sshpass-password", "Password of sshpass", "sshpass -p", "sshpass -p ?(?|'([^'\\n]{3,100})'|[\"']?([^\\s\"'$]{3,100}))", "man 1 sshpass", .group = 1, .flags = RULE_HUMAN | RULE_OPEN_END),
	MAYBE("sql-identified-by", "Password in SQL", "~identified by ", "(?i:identified by )(?:password )?(?|'([^'\\n]{3,200}+)'(?!\\s*[+|])|\"([^\"\\n+]{3,200}+)\"(?!\\s*[+|])|[\"'\\\\]{1,2}([^\\s\"';\\\\()]{3,200}+)(?![()])|(?=[^\\s\"'`;]{0,100}[0-9#$]|[^\\s\"'`;]{3,100};|[^\\s\"'`;]{3,100}\\s+(?i:container|account|default|quota|profile)\\b)([^\\s\"'`;\\\\(),\\[]{3,200}+)(?=\\s*[;\"'\\n]|\\s*$|\\s+(?i:container|account|default|quota|profile|replace|temporary|with|require|using)\\b))", "dev.mysql.com/doc", .group = 1, .flags = RULE_HUMAN | RULE_OPEN_END),
	MAYBE("sql-role-password", "Password of a role in SQL", "~ password '|~ password \"|~ password \\\"", "(?i: password )(?|'((?:[^'\\\\\\n]|''){3,200})'|[\"'\\\\]{1,2}([^\\s\"';\\\\]{3,200})[\"'\\\\])", "www.postgresql.org/docs", .group = 1, .flags = RULE_HUMAN | RULE_OPEN_END | RULE_GLUED),
	MAYBE("oracle-connect", "Password in an Oracle connect string", "jdbc:oracle:thin:", "jdbc:oracle:thin:[^\\s/@\"']{1,64}/([^\\s@\"']{3,100})@", "docs.oracle.com/database", .group = 1, .flags = RULE_HUMAN | RULE_OPEN_END),
	MAYBE("net-user-password", "Password of net user", "net user ", "net user (?:/add )?[A-Za-z0-9_.-]{1,40} ([^\\s/\"']{6,100}) (?:/add|/domain)", "learn.microsoft.com/windows-server", .group = 1, .flags = RULE_HUMAN | RULE_OPEN_END),
	MAYBE("tfstate-random-password", "Password that Terraform made", "\"random_password\"", "\"random_password\"(?s:.){0,1200}?\"result\": ?\"((?:[^\"\\\\\\n]|\\\\.){4,200})\"", "registry.terraform.io/providers/hashicorp/random", .group = 1, .flags = RULE_HUMAN | RULE_OPEN_END),
	MAYBE("powershell-securestring", "Plain text of a SecureString", "~convertto-securestring ", "(?i:convertto-securestring )(?:(?i:-string |-asplaintext |-force ))*(?|'([^'\\n]{3,200})'|\"([^\"\\n$]{3,200})\")", "learn.microsoft.com/powershell", .group = 1, .flags = RULE_HUMAN | RULE_OPEN_END),
	MAYBE("cisco-secret", "Password of a Cisco device", "~enable secret |~password 7 |~secret 5 |~secret 9 |~secret 8 |~password 0 |~secret 0 ", "(?i:(?:enable secret|password|secret)) (?|[5789] ([A-Za-z0-9$./]{8,120})|0 (\\S{3,120}))", "www.cisco.com/c/en/us/support", .group = 1, .flags = RULE_OPEN_END),
	MAYBE("mnemonic-phrase", "Recovery phrase (BIP 39)", "~mnemonic|~seed phrase|~seed_phrase|~recovery phrase", "(?i:mnemonic|(?:seed|recovery)[ _]phrase)[\"']?\\s{0,3}[:=]\\s{0,3}[\"']?((?:[a-z]{3,8} ){11,23}[a-z]{3,8})", "github.com/bitcoin/bips", .group = 1, .flags = RULE_OPEN_END | RULE_UNFILTERED | RULE_GLUED),
	MAYBE("aws-credentials-pair", "AWS secret beside its key id", "AKIA|ASIA", "A[KS]IA[A-Z2-7]{16}[\"']?[:,;|\\s\\\\n]{1,4}[\"']?([A-Za-z0-9/+]{40})", "docs.aws.amazon.com/IAM", .group = 1, .check = check_aws_secret),
	MAYBE("jwk-private-part", "Private part of a JSON web key", "\"d\":|\"p\":|\"q\":|\"dp\":|\"dq\":|\"qi\":|\\\"d\\\":|\\\"p\\\":|\\\"q\\\":|\\\"dp\\\":|\\\"dq\\\":|\\\"qi\\\":|\"d\" :|\"p\" :|\"q\" :", "\\\\?\"(?:d[pq]?|p|qi?)\\\\?\" ?:\\s{0,8}\\\\?\"([A-Za-z0-9_-]{40,1400})\\\\?\"", "RFC 7518", .group = 1, .check = check_mixed, .flags = RULE_OPEN_END | RULE_GLUED | RULE_UNWRAPPED),
	MAYBE("jwk-shared-key", "Key of a symmetric JSON web key", "\"oct\"|\"k\":|\\\"oct\\\"", "\\\\?\"(?|oct\\\\?\"[^{}]{0,300}?\"k\\\\?\"\\s?:\\s{0,8}\\\\?\"([A-Za-z0-9_-]{20,700})\\\\?\"|k\":\\s{0,8}\"([A-Za-z0-9_-]{20,700})\"(?=[^{}]{0,300}\"oct\"))", "RFC 7518", .group = 1, .check = check_mixed, .flags = RULE_OPEN_END | RULE_GLUED | RULE_UNWRAPPED),
	TOKEN("openvpn-static-key", "OpenVPN static key", "OpenVPN Static key V1-----|OpenVPN tls-crypt-v2 ", "OpenVPN (?:Static key V1|tls-crypt-v2 (?:client|server) key)-----\\s{1,4}((?:[0-9a-f]{32}\\s{1,4}){7,32}[0-9a-f]{32}|[A-Za-z0-9+/=\\r\\n]{100,2000})", "openvpn.net/community-resources/reference-manual-for-openvpn-2-6", .group = 1, .flags = RULE_OPEN_END | RULE_GLUED),
	MAYBE("ntlm-hash", "NT hash of an account", ":aad3b435b51404eeaad3b435b51404ee:", ":aad3b435b51404eeaad3b435b51404ee:((?!31d6cfe0)[0-9a-f]{32})", "learn.microsoft.com/windows-server/security/kerberos/passwords-technical-overview", .group = 1, .check = check_hex, .flags = RULE_GLUED),
	TOKEN("wif-private-key", "Private key of a Bitcoin wallet (WIF)", "", "", "en.bitcoin.it/wiki/Wallet_import_format", .flags = RULE_CODE),
	TOKEN("recovery-phrase", "Recovery phrase of a wallet by itself (BIP 39)", "", "", "github.com/bitcoin/bips/blob/master/bip-0039.mediawiki", .flags = RULE_CODE),
	MAYBE("mailgun-sending-key", "Mailgun key by itself", "", "", "documentation.mailgun.com", .flags = RULE_CODE),
	TOKEN("paseto-token", "PASETO token", "v1.local.|v2.local.|v3.local.|v4.local.|v1.public.|v2.public.|v3.public.|v4.public.", "v[1-4]\\.(?:local|public)\\.[A-Za-z0-9_-]{40,4000}(?:\\.[A-Za-z0-9_-]{2,1000})?", "github.com/paseto-standard/paseto-spec", .check = check_mixed),
	TOKEN("paserk-key", "PASERK key", "k1.secret|k2.secret|k3.secret|k4.secret|k1.local|k2.local|k3.local|k4.local|k1.seal.|k2.seal.|k3.seal.|k4.seal.", "k[1-4]\\.(?:local|secret|seal)(?:-wrap\\.pie|-pw)?\\.[A-Za-z0-9_-]{40,4000}", "github.com/paseto-standard/paserk", .check = check_mixed),
	MAYBE("ntlm-response", "NTLM answer to a challenge", "TlRMTVNTUAADAAAA", "TlRMTVNTUAADAAAA[A-Za-z0-9+/]{80,4000}={0,2}", "learn.microsoft.com/openspecs/windows_protocols/ms-nlmp", .flags = RULE_OPEN_END),
	MAYBE("prefixed-key", "Key that says by its own prefix what it is", "_live_|_test_|_sandbox_|_prod_|_sk_|_pat_|_secret_", "(?!(?:pk|cs|pub|publishable|price|prod|plan|sha|md5)_)[A-Za-z][A-Za-z0-9]{1,14}_(?:live|test|sandbox|prod|sk|pat|secret)_[A-Za-z0-9]{24,128}", "github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats", .back = 15, .check = check_prefixed, .flags = RULE_UNWRAPPED),
	MAYBE("generic-password", "Password beside its name", "", "", "", .flags = RULE_CODE),
	MAYBE("generic-secret", "Secret beside its name", "", "", "", .flags = RULE_CODE),
};
// clang-format on

const struct rule_table rules_text = { rows, countof(rows) };
