// SPDX-License-Identifier: GPL-2.0-or-later

// Passwords that stand in their place in a command, a call or a configuration line, with
// no name beside them.

#include "scanner/rule_rows.h"
#include "scanner/rule_tables.h"

/** What a shell takes as one word, in quotes or without; no variable. */
#define ARG "(?|\"([^\"\\n$`]{3,200})\"|'([^'\\n]{3,200})'|([^\\s\"'$`|;&<>]{3,200}))"
/** Options before it. */
#define OPTIONS "(?:(?:[^\\n|;\\\\]|\\\\.|\\\\\\r?\\n){0,300}? )?"
/** A string of a program, and one argument before it. */
#define STRING "(?|\"([^\"\\n]{3,200})\"|'([^'\\n]{3,200})')"
#define ANOTHER                                                                          \
	"(?:\"[^\"\\n]{0,200}\"|'[^'\\n]{0,200}'|[\\w.$\\[\\]\"'>()-]{1,100})\\s{0,3},"  \
	"\\s{0,24}"
#define HUMAN                                                                            \
	.group = 1, .flags = RULE_HUMAN | RULE_OPEN_END | RULE_GLUED | RULE_UNWRAPPED

// clang-format off
static const struct rule rows[] = {
	MAYBE("registry-login-password", "Password of docker login -p", "docker login |podman login |skopeo login |registry login |buildah login |nerdctl login ", "\\w+ login " OPTIONS "-p[ =]?" ARG, "docs.docker.com/reference/cli/docker/login", HUMAN),
	MAYBE("redis-cli-password", "Password of redis-cli -a", "redis-cli |valkey-cli ", "\\w+-cli " OPTIONS "-a " ARG, "redis.io/docs/latest/develop/tools/cli", HUMAN),
	MAYBE("redis-acl-password", "Password in a Redis ACL", "user default on |~acl setuser ", "(?i:user default on|acl setuser \\S{1,64})[^\\n]{0,200}? >(\\S{3,200})", "redis.io/docs/latest/operate/oss_and_stack/management/security/acl", HUMAN),
	MAYBE("ldap-bind-password", "Password of ldapsearch -w", "ldapsearch |ldapadd |ldapmodify |ldapdelete |ldappasswd |ldapwhoami ", "ldap[a-z]+ " OPTIONS "-w " ARG, "man 1 ldapsearch", HUMAN),
	MAYBE("smb-user-password", "Password of smbclient -U", "smbclient |rpcclient |smbget |smbmap ", "\\w+ " OPTIONS "-U ?[\"']?[^\\s%\"']{1,64}%([^\\s\"']{3,200})", "man 1 smbclient", HUMAN),
	MAYBE("archive-password", "Password of an archive", "7z a |7za a |7z x |7zz a |zip -|unzip -|unrar x |rar a ", "(?|(?:7z+a? [a-z]|unrar x|rar a) " OPTIONS "-p" ARG "|(?:un)?zip " OPTIONS "-P ?" ARG ")", "man 1 zip", HUMAN),
	MAYBE("openssl-pass-argument", "Pass phrase of openssl", "-pass pass:|-passin pass:|-passout pass:", "-pass(?:in|out)? pass:([^\\s\"'$]{3,200})", "docs.openssl.org/master/man1/openssl-passphrase-options", HUMAN),
	MAYBE("openssl-enc-key", "Pass phrase of openssl enc -k", "openssl enc |openssl aes", "openssl (?:enc|aes)[^\\n|;]{0,200}? -k " ARG, "docs.openssl.org/master/man1/openssl-enc", HUMAN),
	MAYBE("azure-login-password", "Secret of az login -p", "az login ", "az login " OPTIONS "-p " ARG, "learn.microsoft.com/cli/azure", HUMAN),
	MAYBE("mosquitto-password", "Password of mosquitto_pub -P", "mosquitto_pub |mosquitto_sub |mosquitto_rr ", "mosquitto_[a-z]+ " OPTIONS "-P " ARG, "man 1 mosquitto_pub", HUMAN),
	MAYBE("mosquitto-passwd", "Password of mosquitto_passwd -b", "mosquitto_passwd |htpasswd -", "(?:mosquitto_passwd|htpasswd) -[a-zA-Z]*b[a-zA-Z]*(?: -\\S+)* \\S{1,200} \\S{1,64} " ARG, "httpd.apache.org/docs/current/programs/htpasswd", HUMAN),
	MAYBE("rdp-password", "Password of a remote desktop client", "xfreerdp |xfreerdp3 |wfreerdp ", "\\w+ " OPTIONS "/p:" ARG, "man 1 xfreerdp", HUMAN),
	MAYBE("lftp-user-password", "Password of lftp -u", "lftp ", "lftp " OPTIONS "-u ?[\"']?[^\\s,\"']{1,64},([^\\s\"']{3,200})", "man 1 lftp", HUMAN),
	MAYBE("oracle-command-password", "Password of sqlplus", "sqlplus |expdp |impdp |sqlldr ", "\\w+ (?:-\\w+ )*[\"']?[\\w.$]{1,64}/([^\\s@\"'/]{3,100})@", "docs.oracle.com/en/database/oracle/oracle-database/19/sqpug", HUMAN),
	MAYBE("mongo-command-password", "Password of a MongoDB tool", "mongodump |mongorestore |mongoexport |mongoimport |mongosh ", "mongo\\w+ " OPTIONS "-p[ =]?" ARG, "www.mongodb.com/docs/database-tools", HUMAN),
	MAYBE("sqlcmd-password", "Password of sqlcmd -P", "sqlcmd |ipmitool ", "(?:sqlcmd|ipmitool) " OPTIONS "-P ?" ARG, "learn.microsoft.com/sql/tools/sqlcmd", HUMAN),
	MAYBE("vault-login-token", "Token of vault login", "vault login ", "vault login (?:-\\S+ ){0,4}([A-Za-z0-9._-]{8,200})", "developer.hashicorp.com/vault/docs/commands/login", .group = 1, .check = check_token, .flags = RULE_OPEN_END | RULE_GLUED | RULE_UNWRAPPED),
	MAYBE("snmp-community", "SNMP community", "snmpwalk |snmpget |snmpset |snmpbulkwalk |snmp-server community ", "(?:snmp(?:bulk)?[a-z]+ " OPTIONS "-c |snmp-server community )" ARG, "man 1 snmpcmd", HUMAN),
	MAYBE("net-use-password", "Password of net use", "~net use ", "(?i:net use )[^\\n]{0,200}?/user:\\S{1,64} ([^\\s/\"']{3,100})", "learn.microsoft.com/windows-server/administration/windows-commands", HUMAN),
	MAYBE("piped-password", "Password piped to a command", "chpasswd|--password-stdin|passwd --stdin|sudo -S |--passphrase-fd 0|cryptsetup |password_stdin|secret create |kinit |smbpasswd -", "[^\\n]{0,120}?(?:echo|printf)(?: -[neE]+)? [\"']?(?:[\\w.-]{1,32}:)?([^\\s\"'$`:|]{3,128})(?:\\\\n)?[\"']? ?\\|", "man 8 chpasswd", .group = 1, .back = 255, .flags = RULE_HUMAN | RULE_OPEN_END | RULE_GLUED | RULE_UNWRAPPED | RULE_BACK_LINE),
	MAYBE("go-mysql-dsn", "Password in a Go data source name", "@tcp(|@unix(|@tcp4(|@tcp6(", "[^\\n]{0,200}?[\\w.-]{1,64}:([^\\s\"'`/]{3,200})@(?:tcp[46]?|unix)\\(", "pkg.go.dev/github.com/go-sql-driver/mysql", .group = 1, .back = 255, .flags = RULE_HUMAN | RULE_OPEN_END | RULE_GLUED | RULE_UNWRAPPED | RULE_BACK_SOLID),
	MAYBE("ipsec-shared-key", "Key in ipsec.secrets", ": PSK \"|: XAUTH \"|: EAP \"|: PSK '", ": (?:PSK|XAUTH|EAP) " STRING, "man 5 ipsec.secrets", HUMAN),
	MAYBE("chap-secret", "Password in chap-secrets", "\" * \"|\"\t*\t\"", "\"\\s\\*\\s\"([^\"\\n]{3,200})\"", "man 8 pppd", HUMAN),
	MAYBE("sasl-map-password", "Password in a relay's password map", "]:587 |]:465 |]:25 |]:587\t", "\\]:(?:587|465|25)\\s{1,8}[^\\s:]{1,100}:(\\S{3,200})", "www.postfix.org/SASL_README.html", HUMAN),
	MAYBE("pgpass-any", "Password in .pgpass for any database", ":*:*:", "(?<![\\w:.*-])(?!arn:)[\\w.*-]{1,100}(?::[0-9*]{1,5})?:\\*:\\*?:?[^:\\s*]{1,64}:([^\\s\"',]{3,200})\\s", "www.postgresql.org/docs/current/libpq-pgpass.html", .group = 1, .back = 100, .flags = RULE_HUMAN | RULE_OPEN_END | RULE_UNWRAPPED | RULE_BACK_SOLID),
	MAYBE("call-user-password", "User and password in a call", "etBasicAuth(|TTPBasicAuth(|hBasicAuth(|.basicAuth(|.BasicAuth(|basic_auth(|basic_auth=(|http_auth=(|auth=(|igestAuth(|redentials.basic(|PlainCredentials(|PasswordCredentials(|asswordAuthentication(|etworkCredential(|AWSCredentials(|username_pw_set(|ftp_login(|ssh2_auth_password(|.login(", "[\\w.]+(?:\\(|=\\()\\s{0,24}(?:\\$\\w+, ?)?" ANOTHER STRING "(?:\\.toCharArray\\(\\))?\\s{0,24}[,)]", "docs.python.org/3/library/urllib.request.html", HUMAN),
	MAYBE("call-connect-password", "Password in a call that connects", "DBI->connect(|MySQLdb.connect(|pymysql.connect(|mysqli_connect(|mysql_connect(|new mysqli(|new PDO(|.getConnection(|ldap_bind(|imap_open(|set_password(|.setPassword(|PlainAuth(|createCredential(|FTP(", "[\\w.>-]+(?: \\w+)?\\(\\s{0,24}" ANOTHER ANOTHER STRING "(?:\\.toCharArray\\(\\))?\\s{0,24}[,)]", "www.php.net/manual/en/mysqli.construct.php", HUMAN),
	MAYBE("call-signing-secret", "Secret that signs tokens", "jwt.sign(|jwt.verify(|jwt.encode(|jwt.decode(|JWT.encode(|JWT.decode(|JWT::encode(|createHmac(|HMAC256(|HMAC512(|hmac.new(", "(?:HMAC[0-9]{3}\\(|[\\w:.]+\\(\\s{0,24}" ANOTHER ")b?[\"']([^\"'\n]{8,200})[\"']\\s{0,24}[,)]", "www.npmjs.com/package/jsonwebtoken", .group = 1, .check = check_token, .flags = RULE_OPEN_END | RULE_GLUED | RULE_UNWRAPPED),
	MAYBE("cloud-secret-argument", "Value of a secret on a cloud's command line", "az keyvault secret set |ssm put-parameter |gcloud secrets |secretsmanager create-secret |secretsmanager put-secret-value ", "(?:az keyvault secret set|ssm put-parameter(?=(?:[^\\n|;]|\\\\\\n){0,600}SecureString)|gcloud secrets|secretsmanager [a-z-]+) " OPTIONS "--(?:value|secret-string|data)[ =](?![\"']?(?:file|fileb):)(?![\"']?\\{)" ARG, "learn.microsoft.com/cli/azure/keyvault/secret", HUMAN),
	MAYBE("github-cli-secret", "Value of gh secret set", "gh secret set ", "gh secret set \\S{1,100} " OPTIONS "(?:--body|-b)[ =]?" ARG, "cli.github.com/manual/gh_secret_set", HUMAN),
	MAYBE("httpie-auth", "Password of http --auth", "http -a |https -a |http --auth |https --auth ", "https? (?:-a|--auth)[ =][\"']?[^\\s:\"'$]{1,100}:([^\\s\"'$]{3,200})", "httpie.io/docs/cli/basic-auth", HUMAN),
	MAYBE("remote-command-password", "Password of a remote command", "cqlsh |psexec |PsExec.exe |PsExec |PsExec64.exe |cypher-shell |evil-winrm |kafka-configs |crackmapexec ", "(?:cqlsh|[Pp]s[Ee]xec(?:64)?(?:\\.exe)?|cypher-shell|evil-winrm|kafka-configs|crackmapexec) " OPTIONS "-p ?" ARG, "learn.microsoft.com/sysinternals/downloads/psexec", HUMAN),
	MAYBE("schtasks-password", "Password of a scheduled task", "~schtasks ", "(?i:schtasks )(?:[^\\n|]{0,400}? )?/[rR][pP] " ARG, "learn.microsoft.com/windows-server/administration/windows-commands/schtasks-create", HUMAN),
	MAYBE("kickstart-rootpw", "Root password of an installer", "rootpw --plaintext |--plaintext --password=", "(?:rootpw --plaintext |--plaintext --password=)" ARG, "pykickstart.readthedocs.io", HUMAN),
	MAYBE("debconf-password", "Password in a debconf selection", "_password password |-password password |_again password |-pass password |_pass password |password_again password ", "[_-]?(?:password|again|pass|password_again) password ([^\\s\"'$]{3,200})", "man 1 debconf-set-selections", .group = 1, .flags = RULE_HUMAN | RULE_OPEN_END | RULE_GLUED | RULE_UNWRAPPED),
	MAYBE("bcp-password", "Password of bcp or osql", "bcp |osql ", "(?:bcp|osql) (?=(?:[^\\n|;]{0,300}? )-U)" OPTIONS "-P ?" ARG, "learn.microsoft.com/sql/tools/bcp-utility", HUMAN),
	MAYBE("rabbitmqctl-password", "Password of rabbitmqctl", "rabbitmqctl add_user |rabbitmqctl change_password |rabbitmqctl authenticate_user ", "rabbitmqctl \\w+ [\"']?[\\w.@-]{1,64}[\"']? " ARG, "www.rabbitmq.com/docs/man/rabbitmqctl.8", HUMAN),
	MAYBE("chpasswd-list", "Password for chpasswd", "chpasswd <<<|chpasswd:|chpasswd <<", "chpasswd(?: ?<<< ?[\"']?|:\\s{1,9}(?:expire: \\w{1,6}\\s{1,9})?(?:list:)?\\s{0,9}\\|?\\s{0,9}(?:- )?| ?<<-? ?[\"']?\\w{1,12}[\"']?\\s{1,9})[\\w.-]{1,32}:([^\\s\"'$]{3,200})", "cloudinit.readthedocs.io/en/latest/reference/modules.html", HUMAN),
	MAYBE("dovecot-plain-password", "Password in a passwd-file", ":{PLAIN}|:{plain}|:{CLEARTEXT}|:{CLEAR}", ":\\{[A-Za-z]+\\}([^\\s:]{3,200})", "doc.dovecot.org/latest/core/config/auth/databases/passwd_file.html", HUMAN),
	MAYBE("snmp-user-password", "Password of an SNMP user", "createUser ", "createUser (?:-e \\S{1,80} )?[\\w.-]{1,64} (?:MD5|SHA(?:-?[0-9]{3})?) " ARG, "man 5 snmpd.conf", HUMAN),
	MAYBE("aaa-server-key", "Key of a RADIUS or TACACS server", "tacacs-server key |radius-server key |tacacs-server host |radius-server host ", "(?:tacacs|radius)-server (?:host \\S{1,80} (?:[\\w-]{1,12} [0-9]{1,5} ){0,4})?key (?:[067] )?" ARG, "www.cisco.com/c/en/us/support", HUMAN),
	MAYBE("openvpn-inline-password", "User and password inside an OpenVPN profile", "<auth-user-pass>", "<auth-user-pass>\\s{1,4}\\S{1,100}\\r?\\n(\\S{3,200})", "openvpn.net/community-resources/reference-manual-for-openvpn-2-6", HUMAN),
	MAYBE("call-four-strings", "Password in a call with a realm or a port", "Credentials(|Sequelize(|pymssql.connect(|pyodbc.connect(|hdbcli.dbapi.connect(|dbapi.connect(", "[\\w.]+\\(\\s{0,24}" ANOTHER ANOTHER "(?:" ANOTHER ")?" STRING "\\s{0,24}[,)]", "www.scala-sbt.org/1.x/docs/Publishing.html", HUMAN),
	MAYBE("oracle-call-password", "Password in an Oracle connect string of a program", "racle.connect(|racledb.connect(", "\\w+\\.connect\\(\\s{0,8}[\"'][\\w$#]{1,30}/([^\\s@\"'/]{3,100})@", "python-oracledb.readthedocs.io", HUMAN),
	MAYBE("sql-addlogin", "Password in sp_addlogin", "sp_addlogin |sp_password |sp_addlinkedsrvlogin ", "sp_\\w+ {1,4}(?:@\\w+ ?= ?)?N?'[^'\\n]{0,100}', {0,4}(?:@\\w+ ?= ?)?N?'([^'\\n]{3,200})'", "learn.microsoft.com/sql/relational-databases/system-stored-procedures", HUMAN),
	MAYBE("composer-oauth", "Token in Composer's auth.json", "\"github-oauth\"|\"gitlab-token\"|\"gitlab-oauth\"|\"bearer\": {", "\"[a-z-]+\"\\s{0,4}:\\s{0,4}\\{\\s{0,60}\"[\\w.-]{1,100}\"\\s{0,4}:\\s{0,4}\"([^\"\\n]{8,300})\"", "getcomposer.org/doc/articles/authentication-for-private-packages.md", .group = 1, .check = check_token, .flags = RULE_OPEN_END | RULE_GLUED | RULE_UNWRAPPED),
	MAYBE("session-cookie", "Session in a cookie header", "~cookie: ", "(?i:cookie: )(?:[^\\n]{0,500}?[; \"'])??[\\w.-]{0,24}(?i:sess|sid|auth|token|jwt|remember)[\\w.-]{0,24}=([A-Za-z0-9%._~+/-]{16,4000})", "RFC 6265", .group = 1, .check = check_token, .flags = RULE_OPEN_END | RULE_GLUED | RULE_UNWRAPPED),
};
// clang-format on

const struct rule_table rules_command = { rows, countof(rows) };
