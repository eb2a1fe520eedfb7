// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * mirror - keeps the folders you care about in a git repository, and proves it.
 *
 * This is the map of the house, top floor first, made by tests/map.sh from the cards
 * of the headers.  Stairs only go down: a room knows the rooms below it, never one
 * above; tests/floors.sh is the judge, and with -r prints the order to read in.
 *
 * 5  cli/  what a person types: one file per verb, one table of verbs
 *     cli/args                     what was typed, against a table of flags.
 *     cli/bundle                   what somebody who helps needs to know, in one text
 *                                  without secrets.
 *     cli/clean                    words that a person typed, before they are kept
 *                                  anywhere (I3).
 *     cli/cli                      from argv to an exit status.
 *     cli/client                   one request to an agent's API, here or elsewhere,
 *                                  and its answer.
 *     cli/database                 which live database does a person mean?
 *     cli/detect                   what on this machine is worth keeping?
 *     cli/examples                 how a verb is typed, for --help, the manual and the
 *                                  reference.
 *     cli/first_run                after the configuration is written: the first
 *                                  cycle, and what proves it.
 *     cli/flags                    the flags of each verb, for the table of verbs.
 *     cli/gist                     what changed, path by path while that can be read,
 *                                  else folder by folder.
 *     cli/git_child                git, on a thread of its own, and what it writes,
 *                                  line by line.
 *     cli/handlers                 the door of each verb's file.
 *     cli/help                     the table of verbs, told to people and to shells.
 *     cli/leftover                 the first few files that are not protected, and
 *                                  what to do about them.
 *     cli/once                     one cycle, and what it has to say: for `--once` and
 *                                  `init`.
 *     cli/output                   what a person, or their script, gets to see.
 *     cli/past                     the brain repository, opened to look back.
 *     cli/plan                     what would be mirrored of a folder, and what not,
 *                                  before anything is done.
 *     cli/remote                   which agent is meant: the one at --socket or --url,
 *                                  or that of this machine?
 *     cli/remote_look              does the remote answer, may we write there, and
 *                                  what is there already?
 *     cli/rewrite                  change the configuration: right and whole, or not
 *                                  at all.
 *     cli/scan_commits             which commit of a history brought this object?
 *     cli/scan_explain             why is there a finding on this line, and what can
 *                                  be done about it?
 *     cli/scan_files               every regular file below a folder, handed to the
 *                                  pool.
 *     cli/scan_git                 a repository's history, or what is staged in it,
 *                                  handed to the pool.
 *     cli/scan_key                 the key that makes fingerprints of `mirror scan`
 *                                  the same tomorrow.
 *     cli/scan_known               findings that a person has seen before: `mirror
 *                                  scan` alone knows them.
 *     cli/scan_names               names are scanned too, and never shown with a
 *                                  secret in them.
 *     cli/scan_pool                many files, a few threads, findings in the order
 *                                  the files came.
 *     cli/scan_report              findings as text, JSON, SARIF or gitleaks' JSON.
 *     cli/settings                 the configuration a verb works with, and the last
 *                                  good copy of it.
 *     cli/status                   `mirror.status/1` from whoever can say it, and as
 *                                  text.
 *     cli/takeover                 `mirror init --from URL --host OLD`: a lost machine
 *                                  goes on, on this disk.
 *     cli/target                   which path of the ledger does a person mean?
 *     cli/there                    what is done at another agent, by its API
 *                                  (--socket, --url).
 *     cli/trail                    what stood at one path, in one tree after another?
 *     cli/unit                     the unit of a user's own systemd, the one that
 *                                  packages install.
 *     cli/verb                     what a verb is.
 *     cli/verbs                    the one table of verbs.
 *     cli/status_watch cli/there_databases cli/verb_accept cli/verb_completion
 *     cli/verb_config cli/verb_config_edit cli/verb_db cli/verb_db_restore
 *     cli/verb_db_verify cli/verb_doctor cli/verb_drill cli/verb_health cli/verb_help
 *     cli/verb_init cli/verb_key cli/verb_ledger cli/verb_machines cli/verb_man
 *     cli/verb_milestone cli/verb_past cli/verb_pause cli/verb_purge cli/verb_remote
 *     cli/verb_restore cli/verb_run cli/verb_scan cli/verb_secrets cli/verb_service
 *     cli/verb_status cli/verb_uninstall cli/verb_verify cli/verb_watch cli/verb_web
 *     cli/verb_why
 *
 * 4  agent/  the engine: listen on one thread, work on the other
 *     agent/agent                  the always-on engine, and the same work done once
 *                                  by hand.
 *     agent/aside                  long reading on a thread of its own, while the
 *                                  runner listens.
 *     agent/beat                   our heartbeat for the other machines, and a look at
 *                                  theirs.
 *     agent/compare                git trees read back from the repository, against
 *                                  the rows of the ledger.
 *     agent/content                what stands in one folder, as the ledger has it.
 *     agent/crew                   a few threads that take in files while the walk
 *                                  goes on.
 *     agent/cycle                  one run: what changed on disk becomes one commit
 *                                  and one true ledger.
 *     agent/daily                  when is the next daily run?
 *     agent/databases              live SQLite databases among the watched files:
 *                                  which snapshot covers them, and taking a new one.
 *     agent/doors                  what people and programs ask a running agent
 *                                  through.
 *     agent/exposure               was a secret ever committed, where, and since when?
 *     agent/fold                   from rows to trees: every marked folder becomes a
 *                                  git tree and a sidecar text, deepest first, up to
 *                                  the top.
 *     agent/gone                   what the ledger knows and the disk does not:
 *                                  deleted, or held.
 *     agent/ground                 is what we stand on still there: the state, and the
 *                                  roots' folders?
 *     agent/heard                  which folders the watch is told of.
 *     agent/inbox                  what the watching thread puts down and the working
 *                                  thread picks up.
 *     agent/intake                 one file or link: read it whole, take the secrets
 *                                  out, make it an object.
 *     agent/kit                    everything a run needs, opened once.
 *     agent/lineage                every commit that a commit leads to, by any parent.
 *     agent/moved                  how much of what is gone stands somewhere else now.
 *     agent/notify                 a word to the service manager.
 *     agent/own                    mirror's own state, as databases like any other.
 *     agent/ping                   one POST to a watching service, and no more than
 *                                  one.
 *     agent/plan                   what a cycle is asked to do, and what came of it:
 *                                  plain values.
 *     agent/polled                 looking again and again where nothing is heard: a
 *                                  network's folder, FUSE, more folders than the
 *                                  kernel watches.
 *     agent/proof                  verify and drill as jobs: what the backup says is
 *                                  true, and it comes back.
 *     agent/purge                  the branch again, without what should never have
 *                                  been in it.
 *     agent/purge_attributes       the text of a folder again, without the secrets in
 *                                  the values of its extended attributes.
 *     agent/purge_git              what git does in a purge: tags, and throwing away.
 *     agent/recall                 what a ledger that knows nothing of a root learns
 *                                  from the commit.
 *     agent/rejoin                 our own commits that only the remote still has, put
 *                                  back below ours.
 *     agent/root                   one watched root: all of it, or the folders that
 *                                  were hinted; or it is gone.
 *     agent/round                  what one cycle carries from step to step.
 *     agent/runner                 one at a time: becoming the runner, and giving way
 *                                  to who must be alone.
 *     agent/sealing                originals of what a cycle takes out, kept encrypted
 *                                  beside the commit.
 *     agent/shown                  a name as others may see it, and the way back to
 *                                  the disk.
 *     agent/staff                  the thread that works: it takes jobs from the
 *                                  queue, one after the other.
 *     agent/state_door             whoever backs up this machine may ask for a copy of
 *                                  our own state.
 *     agent/tagging                milestones that were asked for become tags of the
 *                                  commit just made.
 *     agent/teller                 tells people and watching services how it is:
 *                                  [notify] in the configuration.
 *     agent/traits                 extended attributes on their way into a backup:
 *                                  read, and with the secrets taken out.
 *     agent/visit                  one folder of a watched root, and those below it:
 *                                  every entry gets one row (I8).
 *     agent/whole                  is everything still there that the last commit
 *                                  leads to?
 *     agent/worker                 one job, done and finished in the queue.
 *     agent/worker_room            what the files of the worker share; nobody else
 *                                  includes it.
 *     agent/databases_daily agent/databases_run agent/kit_branch agent/once
 *     agent/worker_push
 *
 * 4  serve/  the API, the status page and metrics
 *     serve/access                 who may do what: tokens, sessions of a browser, and
 *                                  how often.
 *     serve/bench                  one thread for what takes long, so that others are
 *                                  answered meanwhile.
 *     serve/call                   one request as the routes see it, and the ways to
 *                                  answer it.
 *     serve/compare                two versions of one file, as a diff.
 *     serve/desk                   the handles one request needs, opened when it asks
 *                                  for them.
 *     serve/diff                   what changed between two texts, as a unified diff.
 *     serve/dispatch               from a request to its answer.
 *     serve/gate                   may this request come in?
 *     serve/handlers               every route's function, for the table; the files
 *                                  api_*.c and page*.c hold them.
 *     serve/history                versions of a file, and what each commit changed.
 *     serve/html                   pages in which nothing from outside is markup.
 *     serve/http                   requests in, answers out; what is behind them is
 *                                  somebody else's.
 *     serve/idem                   a request that comes twice with one key is done
 *                                  once.
 *     serve/listen                 where clients come in: our own socket, loopback,
 *                                  what systemd handed us.
 *     serve/measure                the verdict and the status, as routes and page show
 *                                  them.
 *     serve/month                  what each of the last 30 days brought, counted as
 *                                  the history grows.
 *     serve/options                what the API is started with.
 *     serve/page                   the status page, part by part.
 *     serve/page_style             how the pages look, and the few lines that keep
 *                                  their numbers fresh.
 *     serve/parse                  what a stranger wrote, taken apart: targets, hosts,
 *                                  ranges, forms.
 *     serve/problem                what can go wrong, for programs: one fixed code
 *                                  each.
 *     serve/room                   the inside of struct serve, for the files of this
 *                                  room.
 *     serve/route                  one row of the table of what is offered.
 *     serve/routes                 the one table of what is offered, and finding a row
 *                                  in it.
 *     serve/rows                   the ledger, row by row, for a reader who takes his
 *                                  time.
 *     serve/serve                  the API and the status page, beside the engine.
 *     serve/task                   what takes long, while its request sleeps; and how
 *                                  far it is.
 *     serve/api_databases serve/api_describe serve/api_files serve/api_jobs
 *     serve/api_secrets serve/api_see serve/api_session serve/api_verify
 *     serve/page_file serve/page_files serve/page_findings serve/page_more
 *     serve/page_now serve/page_picture
 *
 * 3  health/  facts in, one verdict out
 *     health/bare                  disk and newest commit compared when there is no
 *                                  ledger to ask.
 *     health/deep                  disk, ledger and git tree compared, path by path,
 *                                  believing none.
 *     health/evidence              what was measured, when, and what a person has
 *                                  accepted.
 *     health/exclusions            is something left out that nobody has agreed to?
 *     health/fact                  the words of health: states, facts, and how long
 *                                  each fact is believed.
 *     health/facts                 measure everything, change nothing, within a tenth
 *                                  of a second.
 *     health/format                one report, as people, scripts and monitors like to
 *                                  read it.
 *     health/input                 what a measurement is given.
 *     health/probe                 what one measuring has in its hands, and the
 *                                  questions it asks.
 *     health/record                what the engine measured, put down as dated
 *                                  evidence.
 *     health/report                what the probe found: facts, accounting, one
 *                                  verdict.
 *     health/sentence              the one sentence, the same everywhere.
 *     health/tick                  the pulse of the agent's loop, cheap enough for
 *                                  every turn.
 *     health/verdict               the worst of the facts, and no fact better than its
 *                                  evidence.
 *     health/probe_agent health/probe_away health/probe_deep health/probe_files
 *     health/probe_machine health/probe_offsite
 *
 * 3  restore/  from the tree to the disk, and the drill
 *     restore/chain                folders on the disk, the way to the last ones kept
 *                                  open.
 *     restore/drill                restore for real, from the remote, and compare.
 *     restore/entries              files and links: keep, write, replace, or leave and
 *                                  tell.
 *     restore/folders              folders on their way to the disk: opened, made,
 *                                  finished.
 *     restore/journal              what a restore in place was going to do, as text.
 *     restore/listing              what one commit says stood on the disk, folder by
 *                                  folder.
 *     restore/oids                 object names, each with a number.
 *     restore/options              what is asked of a restore, and what came of it.
 *     restore/place                one entry of a folder on disk: what stands there,
 *                                  and what it is given.
 *     restore/point                which commit is meant?
 *     restore/restore              bring a tree back to the disk.
 *     restore/run                  what one restore carries from step to step.
 *     restore/safety               a second name for what is about to be replaced, or
 *                                  a copy of it.
 *     restore/sample               which files does a drill try?
 *     restore/stage                entries on their way: written, synced, read back,
 *                                  then named.
 *     restore/takeback             a restore in place is taken back, also one that was
 *                                  killed.
 *     restore/told                 what became of a path: the words of this room.
 *     restore/undo                 what a restore in place replaces is kept first, and
 *                                  every step put down.
 *     restore/unseal               with the recovery key, what was sealed comes back
 *                                  as it was.
 *     restore/verify               is what the backup says true, down to the last
 *                                  object?
 *     restore/when                 which moment do these words mean?
 *
 * 3  view/  what everybody is shown: the same objects for command line, API and page
 *     view/accept                  a person says that a condition is known and fine:
 *                                  it becomes a note, and only that condition; a worse
 *                                  one is told again.
 *     view/change                  a commit, and a path that it changed: for `log`,
 *                                  `diff`, `today`, the API and the page.
 *     view/clean                   words that a person typed, with their secrets cut
 *                                  out before they are kept anywhere (I3).
 *     view/databases               which live databases there are, and where their
 *                                  snapshots are.
 *     view/drill                   what came of a drill: for `drill`, the API, and as
 *                                  evidence.
 *     view/machines                who else keeps their files in this repository:
 *                                  branches and heartbeats, one row a machine.
 *     view/restores                what is staged for a database and what was applied,
 *                                  as everybody is told.
 *     view/row                     a path of the ledger as everybody is shown it: the
 *                                  command line, the API and the page say the same.
 *     view/secrets                 what was taken out, and what a person allowed to
 *                                  stay: by fingerprint, never by position.
 *     view/status                  what is running, what is next, how many files are
 *                                  safe: `mirror.status/1`.
 *     view/verify                  are the snapshots kept of a database still what
 *                                  they were?
 *     view/why                     what became of one file, why, and which version of
 *                                  it is safe.
 *
 * 2  brain/  git objects, trees, commits, push
 *     brain/alike                  is a file of the browsable copy, as far as it goes,
 *                                  what it was copied from?
 *     brain/allowed                what a person marked as fine, by fingerprint.
 *     brain/commit                 one commit object.
 *     brain/copy_folders           the folders of the browsable copy that are being
 *                                  written into, held open.
 *     brain/deflate                an object as an entry of a pack, and back.
 *     brain/fleet                  several machines, one remote: who we are, and who
 *                                  else was heard of.
 *     brain/home                   the few files of ours inside a git directory.
 *     brain/index                  .git/index, written so that `git status` is clean.
 *     brain/index_relay            what differs between two trees, read on one thread
 *                                  and used on another.
 *     brain/index_room             what an entry of git's index looks like: the inside
 *                                  of index.c and index_write.c.
 *     brain/maintain               many small packs into few large ones.
 *     brain/mend                   the few files that git cannot do without, put right
 *                                  after an unclean stop.
 *     brain/milestone              our milestones, brought to the remote after the
 *                                  branch.
 *     brain/oid                    the name of a git object: 20 bytes of SHA-1.
 *     brain/pack                   the objects of one cycle, as one pack or two, all
 *                                  or nothing.
 *     brain/pack_file              one pack file and its index, from the first byte to
 *                                  objects/pack.
 *     brain/pack_index             name, place and checksum of each object in one pack.
 *     brain/packs                  which packs stand in objects/pack, and was one
 *                                  taken away?
 *     brain/plain                  may this name stand in a git tree at its own path?
 *     brain/push                   bring the branch to the remote, and see that it
 *                                  arrived.
 *     brain/push_room              one conversation with a remote, through git: the
 *                                  inside of push and fetch.
 *     brain/reach                  which objects does a commit lead to, and are they
 *                                  all there?
 *     brain/reap                   what a killed process left in a git directory.
 *     brain/recent                 the trees of the last commit that all others change
 *                                  again: the top, and what is above the sidecars.
 *     brain/reflog                 where a branch stood before, where a person wants
 *                                  that written down.
 *     brain/repo                   the brain repo: an ordinary git repository, opened
 *                                  with care.
 *     brain/repo_room              the open repository as libgit2 has it: the inside
 *                                  of repo.c, repo_branch.c, repo_config.c,
 *                                  repo_history.c, repo_lost.c, repo_objects.c,
 *                                  repo_refs.c and repo_roll.c.
 *     brain/sidecar                what git does not keep, as text anyone can read.
 *     brain/tree                   git's trees: read one, or change some entries of
 *                                  one.
 *     brain/worktree               the browsable copy beside .git.
 *     brain/fetch brain/index_write brain/mend_config brain/mend_objects
 *     brain/push_git brain/push_words brain/recovery brain/repo_branch
 *     brain/repo_config brain/repo_history brain/repo_lost brain/repo_objects
 *     brain/repo_refs brain/repo_roll
 *
 * 2  ledger/  every file, its state and its reason
 *     ledger/arena                 the names of one folder, side by side, forgotten
 *                                  together.
 *     ledger/attributes            the extended attributes of one file or folder, as
 *                                  one value.
 *     ledger/classify              what is this entry to us: a file, a link, a folder,
 *                                  or excluded?
 *     ledger/cursor                the recorded tree in byte order of full paths, one
 *                                  step at a time.
 *     ledger/handle                what an open ledger is made of; for the files of
 *                                  this room only.
 *     ledger/inode                 what lstat(2) says about one entry, as the ledger
 *                                  remembers it.
 *     ledger/ledger                every path, its state and one reason (I8).
 *     ledger/shrink                is this root shrinking, or is its disk gone?
 *     ledger/sqlite_probe          is this a SQLite database, or a companion of one?
 *     ledger/stable                read a file that others may be writing: whole, or
 *                                  not at all.
 *     ledger/state                 the words for what became of a path, and why.
 *     ledger/walk                  one folder of a watched tree, listed safely and
 *                                  fast.
 *     ledger/each ledger/folders ledger/reasons ledger/rows ledger/schema ledger/tally
 *
 * 2  vault/  live databases: snapshots, archives, retention, off-site
 *     vault/age                    the bytes that `age -r RECIPIENT` would write,
 *                                  without starting it.
 *     vault/age_run                a file through the program `age`.
 *     vault/archive                a checked file in, `.zst` and `.age` out; and back.
 *     vault/child                  everything that opens a database somebody else may
 *                                  have open, in a process of its own.
 *     vault/copy                   a live database into a private file, in this
 *                                  process.
 *     vault/export                 one checked, plain copy of a live database, at a
 *                                  place somebody names.
 *     vault/guard                  did a table lose most of its rows since the last
 *                                  snapshot?
 *     vault/holders                which processes have this database open?
 *     vault/incoming               a file that is to become a database: opened,
 *                                  checked, and found to be the one that was asked for.
 *     vault/inspect                is this file a whole database, and which one?
 *     vault/manifest               what one database's snapshot folder holds, and what
 *                                  we know of it.
 *     vault/offsite                kept snapshots to a place that does not burn with
 *                                  this one.
 *     vault/offsite_class          what did the remote mean?
 *     vault/original               what was taken out of one path, as the text that is
 *                                  sealed.
 *     vault/owner                  a snapshot made by the program that owns the
 *                                  database.
 *     vault/place                  which folder are the snapshots of a database in?
 *     vault/press                  a file compressed, proved and encrypted in one go.
 *     vault/progress               how the long jobs of this room speak to whoever
 *                                  waits.
 *     vault/rcd                    one rclone that stays and answers, for as long as a
 *                                  job takes.
 *     vault/rclone                 what is asked of a remote, with patience where
 *                                  patience helps.
 *     vault/restore_db             a snapshot back to where a program reads it:
 *                                  beside, or staged.
 *     vault/restore_record         what is staged, what was applied: one small JSON
 *                                  file each.
 *     vault/retain                 which copies to keep?
 *     vault/seal                   shut with the public half of a key, opened with the
 *                                  other, by `age`.
 *     vault/snapshot               a live SQLite database, as of one moment, checked
 *                                  and kept.
 *     vault/space                  is there room for what is about to be written?
 *     vault/squeeze                zstd both ways: bytes in, what comes out to a
 *                                  function; and a stream undone: hashed, measured,
 *                                  and written down if it may be.
 *     vault/swap                   a checked file in place of a database that nobody
 *                                  uses.
 *
 * 2  watch/  the bell, and how long it must be quiet
 *     watch/settle                 has it been quiet long enough to look?
 *     watch/watch                  you will hear that something changed, with a hint
 *                                  where, at least once; sometimes only "look
 *                                  everywhere".
 *     watch/watch_inotify
 *
 * 1  config/  what the person wants, read strictly
 *     config/check                 texts that are texts, and wrong all the same.
 *     config/config                what the person wants, read strictly.
 *     config/fields                the configuration as values.
 *     config/options               the one table of options.
 *     config/places                where things live on this machine.
 *     config/take                  one TOML value into the field that its row of the
 *                                  table points at.
 *     config/show
 *
 * 1  scanner/  bytes in, secrets named but not shown
 *     scanner/assign               a name, an operator, a value: in any of the ways
 *                                  people write that.
 *     scanner/assign_cursor        a place in a text, and the few steps a reader of
 *                                  assignments takes from it.
 *     scanner/chars                kinds of bytes, the same in every locale.
 *     scanner/check                does the structure of a token add up?
 *     scanner/collect              every secret in some bytes, whatever their encoding.
 *     scanner/columns              the values below a heading.
 *     scanner/decode               out of base64, hex and percent escapes.
 *     scanner/engine               text in eight bits, raw findings out.
 *     scanner/engine_pass          one text under way: the inside of scanner/engine.
 *     scanner/filter               is this value a secret, or does it only stand where
 *                                  one could?
 *     scanner/filter_look          what a value is made of.
 *     scanner/filter_words         is a value made of words, and of which?
 *     scanner/finding              one secret, named but not shown.
 *     scanner/fours                how often do sources and documentation hold these
 *                                  four bytes?
 *     scanner/gitleaks             rules that a person wrote, in gitleaks' TOML.
 *     scanner/gitleaks_regex       a regular expression as Go reads it, for PCRE2.
 *     scanner/gitleaks_rule        what gitleaks.c reads and gitleaks_scan.c runs.
 *     scanner/literal              where in this text does any of these words stand?
 *     scanner/marks                did somebody write "this is fine" beside it?
 *     scanner/pattern              a regular expression with limits.
 *     scanner/pem                  a private key between its BEGIN and END lines.
 *     scanner/phrase               twelve to twenty-four words that are a wallet's key
 *                                  (BIP 39).
 *     scanner/rarity               does this look like words, or like chance?
 *     scanner/redact               bytes in, clean bytes out.
 *     scanner/rule                 what a secret of one kind looks like.
 *     scanner/rule_rows            how a row of a rule table is written.
 *     scanner/rule_tables          the tables, one for each file.
 *     scanner/ruleset              all rules in force, and which word leads to which.
 *     scanner/runs                 where do letters and digits stand without a break,
 *                                  and where only words?
 *     scanner/runs_bits            where a run or words may stand, by bits: the inside
 *                                  of scanner/runs.
 *     scanner/runs_seen            where a run or words may stand: the inside of
 *                                  scanner/runs.
 *     scanner/scanner              do these bytes hold a secret?
 *     scanner/sieve                at which places of a text may one of these fours
 *                                  stand?
 *     scanner/sieve_tables         what the sieves look up: the inside of
 *                                  scanner/sieve.
 *     scanner/text                 in what encoding are these bytes, and where do its
 *                                  characters stand?
 *     scanner/url                  the password in scheme://user:password@host.
 *     scanner/wide                 how wide are the vectors of this processor?
 *     scanner/words                lists of words, and whether a text holds one, in
 *                                  either case.
 *     scanner/assign_operator scanner/assign_parent scanner/assign_phrase
 *     scanner/assign_prefix scanner/assign_sibling scanner/assign_unseen
 *     scanner/engine_alone scanner/engine_manifest scanner/engine_members
 *     scanner/engine_named scanner/engine_token scanner/engine_wrapped
 *     scanner/filter_name scanner/filter_shape scanner/fours_table
 *     scanner/gitleaks_scan scanner/phrase_words scanner/rarity_table scanner/rules
 *     scanner/rules_cloud scanner/rules_code scanner/rules_command
 *     scanner/rules_keyed scanner/rules_text scanner/rules_trade scanner/runs_half
 *     scanner/runs_wide scanner/selftest scanner/sieve_group scanner/sieve_wide
 *     scanner/stream
 *
 * 1  jobqueue/  tickets, one trailing run, the lock of the kernel
 *     jobqueue/backoff             how long to leave a failed job alone.
 *     jobqueue/bell                "look at the queue", said across processes.
 *     jobqueue/job                 what a job is, and how a run of one can end.
 *     jobqueue/jobqueue            who wants what done, and who does it: one runner,
 *                                  no lost wish.
 *     jobqueue/lock                who is alive, asked of the kernel.
 *     jobqueue/queue               the inside of a queue handle, for the files of this
 *                                  room.
 *     jobqueue/schema              the queue's database: its tables, and getting hold
 *                                  of it.
 *     jobqueue/turn                whose turn is it, and what does a run that ended
 *                                  still owe?
 *     jobqueue/run jobqueue/see
 *
 * 0  base/  words, bytes, files, children: what every room uses
 *     base/base                    the words every room uses.
 *     base/buf                     bytes from outside, with a ceiling.
 *     base/clock                   what time is it, and how do people write it?
 *     base/db                      a SQLite database.
 *     base/db_room                 the open database as SQLite has it: the inside of
 *                                  db.c and db_foreign.c.
 *     base/err                     a failure as a value: a code to act on, a sentence
 *                                  to read, a next step.
 *     base/fd                      descriptors: write all, read all, open beneath.
 *     base/file                    our own files: whole or absent (I4).
 *     base/hash                    SHA-1 for git's object names, SHA-256, and keyed
 *                                  hashes.
 *     base/hash_cipher             the three things an `age` file is made of, from
 *                                  libgcrypt.
 *     base/hash_room               libgcrypt, for hash.c and hash_cipher.c alone.
 *     base/json                    JSON values, written and read.
 *     base/late                    a library that is loaded when it is first needed.
 *     base/log                     one escaped line per event, to standard error.
 *     base/mem                     small allocations that cannot fail.
 *     base/newest                  of what is set aside again and again the newest
 *                                  stay, the rest goes.
 *     base/path                    path algebra; no system call.
 *     base/spawn                   run another program, with a deadline.
 *     base/suggest                 did you mean ...?
 *     base/toml                    TOML 1.0, with the place of every value.
 *     base/clock_now base/db_foreign
 */

#include "cli/cli.h"
#include "vault/child.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

// Were a standard stream closed, the next file we open would be it, and a message would
// be written into a pack.
static bool
fill_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		// The lowest free number is what open() gives.
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
			return false;
		}
	}
	return true;
}

// A tree of any depth is walked with one descriptor a level.
static void
allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int
main(int argc, char **argv)
{
	// Whoever ignores SIGCHLD loses the exit status of every child.
	(void)signal(SIGCHLD, SIG_DFL);
	if (argc > 1 && strcmp(argv[1], CHILD_VERB) == 0) {
		return child_main();
	}
	if (!fill_standard_streams()) {
		(void)!write(STDERR_FILENO, "mirror: no /dev/null\n", 21);
		return 2;
	}
	// A file that may not grow is an error to tell, not an end in the midst of it.
	(void)signal(SIGXFSZ, SIG_IGN);
	// What we keep is ours to read and nobody else's to change, whatever the umask.
	(void)umask((umask(S_IWGRP | S_IWOTH) | S_IWGRP | S_IWOTH) & ~(mode_t)S_IRWXU);
	allow_descriptors();
	return cli_main(argc, argv);
}
