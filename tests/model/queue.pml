/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The protocol of jobqueue/, for the model checker spin.
 *
 * One kind of job, its row in the database, the kernel's lock, and the bell.  An agent
 * that runs jobs and sleeps until the bell rings; callers that wish; one "--once" that
 * wishes, waits, and does the work itself when nobody holds the lock; a killer.  Each
 * `atomic` is one transaction, or one system call.
 *
 * What must hold, whatever the order of steps:
 *
 *     running <= 1            at most one runner, checked at every start
 *     covered == gen          at rest: each wish was followed by a run that began after
 *                             it, counted by ghosts that the protocol does not see
 *     want == done            at rest: nothing is owed, nothing is marked as running
 *     runs == 2               with -DBURST: however many wishes fall into one run, they
 *                             make exactly one trailing run
 *
 * With -DWITHIN there is a second kind of job, a push, which syncs ask for (-DPUSHES=n of
 * them), and which only waits for somebody else: the agent does syncs within it.  A sync
 * still never runs beside another, whoever dies; and at rest both kinds are done:
 *
 *     pushed == asked         each push that was asked for was begun after that
 *     pwant == pdone
 *
 * The rest of the -D words replace one idea by the naive one; see run.sh for what the
 * checker must then find.
 *
 *     SPLIT_FLAG     a flag looked at, then let go in a second step; the bell is rung
 *                    only when nobody seems to run
 *     BELL_FIRST     ring, then commit
 *     BELL_LATE      a restarted agent looks first, then hangs up its bell
 *     TRY_LOCK       the agent finds the lock busy and goes back to sleep
 *     LOOK_AGAIN     with TRY_LOCK: whoever unlocks looks once more and rings
 *     NO_RECLAIM     nobody takes back what a dead runner left
 *     HEARTBEAT      no lock; a runner that was not heard of for a while counts as dead
 *     EACH_WISH      a run for each wish, one after the other
 *     AGENT_HOLDS    (not naive) the agent keeps the lock for its whole life
 *     ONE_MARK       with WITHIN: the sync that ends within a push takes away the mark of
 *                    whatever is under way
 *     ONE_DEAD       with WITHIN: whoever takes back what a dead runner left stops at the
 *                    first run that is found
 *
 * Explored without partial order reduction: `unless` and `timeout` look at everybody.
 *
 * A caller killed after its commit and before its ring is not in here: that wish waits
 * until the agent looks by itself, which it does now and then.
 */

#ifndef CALLERS
#define CALLERS 2
#endif
#ifndef WISHES
#define WISHES 2
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef FAILURES
#define FAILURES 0
#endif

#ifndef PUSHES
#define PUSHES 1
#endif

#ifdef EACH_WISH
#define COVERED_BY_A_RUN (taken + 1)
#else
#define COVERED_BY_A_RUN want
#endif

#define NOBODY 0
#define AGENT 1
#define ONCE 2

/* The row. */
byte want, taken, done;
bool in_progress;
bool backing_off;
/* SPLIT_FLAG's row. */
bool flag;

byte lock;
bool bell, bell_hung, timer_rang;

/* Ghosts. */
byte gen, covered, run_gen, runs, running, runner;

bool kill_agent, kill_once;
byte crashes, failures;

#ifdef WITHIN
/* The other kind's row, and its ghosts. */
byte pwant, ptaken, pdone;
bool p_in_progress;
byte asked, pushed, push_gen, pusher;
#endif
#ifdef BURST
/* Those who have still something to say. */
byte busy = CALLERS + 1;
#endif

inline ring()
{
	if
	:: bell_hung -> bell = true
	:: else
	fi
}

inline begin_run(me)
{
	running++;
	assert(running <= 1);
	runner = me;
	run_gen = gen;
	runs++
}

inline end_run()
{
	running--;
	runner = NOBODY;
	if
	:: run_gen > covered -> covered = run_gen
	:: else
	fi
}

/* What a sync does before it ends, in a transaction of its own. */
inline ask_push()
{
#ifdef WITHIN
	atomic {
		if
		:: asked < PUSHES ->
			asked++;
			if
			:: pwant > ptaken
			:: else -> pwant++
			fi
		:: true
		fi
	};
#endif
	skip
}

/* Commit a wish: the pending run's ticket, or a new one. */
inline commit(ticket)
{
	atomic {
#ifdef SPLIT_FLAG
		flag = true;
		want++;
#else
#ifdef EACH_WISH
		want++;
#else
		if
		:: want > taken
		:: else -> want++
		fi;
#endif
#endif
		ticket = want;
		gen++
	}
}

/* A program wishes: a look first, and nothing written when a run is pending already. */
inline wish(ticket, found)
{
#ifdef BELL_FIRST
	ring();
	commit(ticket)
#else
#ifdef SPLIT_FLAG
	commit(ticket);
	if
	:: !in_progress -> ring()
	:: else
	fi
#else
#ifdef EACH_WISH
	found = false;
#else
	atomic {
		found = want > taken;
		if
		:: found -> ticket = want; gen++
		:: else
		fi
	};
#endif
	if
	:: !found -> commit(ticket)
	:: else
	fi;
	ring()
#endif
#endif
}

/* A person asks: in the same transaction the back-off is over. */
inline ask(ticket)
{
#ifdef BELL_FIRST
	ring();
#endif
	atomic { commit(ticket); backing_off = false };
#ifndef BELL_FIRST
	ring()
#endif
}

inline reclaim(me)
{
#ifndef NO_RECLAIM
#ifdef HEARTBEAT
	/* Not heard of: dead, or only stopped.  Who can say? */
	atomic {
		if
		:: in_progress -> in_progress = false; taken = done
		:: true
		fi
	};
#else
	atomic {
		if
		:: in_progress ->
			assert(running == 0);
			in_progress = false;
			taken = done
#ifdef ONE_DEAD
		:: !in_progress && p_in_progress ->
			p_in_progress = false;
			ptaken = pdone
#endif
		:: else
		fi;
#ifdef WITHIN
#ifndef ONE_DEAD
		if
		:: p_in_progress ->
			assert(pusher == NOBODY);
			p_in_progress = false;
			ptaken = pdone
		:: else
		fi
#endif
#endif
	};
#endif
#endif
	skip
}

/* Run until nothing is due. */
inline drain(me, again)
{
	again = true;
	do
	:: again ->
		atomic {
#ifdef SPLIT_FLAG
			again = flag && !in_progress;
			if
			:: again -> flag = false; taken = COVERED_BY_A_RUN;
#else
			again = want > done && !in_progress && !backing_off;
			if
			:: again -> taken = COVERED_BY_A_RUN;
#endif
				in_progress = true;
				begin_run(me)
			:: else
			fi
		};
		if
		:: !again -> break
		:: else
		fi;
		do
		:: again ->
#ifdef BURST
			/* The first run lasts until every wish was made. */
			(runs > 1 || busy == 0);
#endif
			ask_push();
#ifdef SPLIT_FLAG
			/* Look ... */
			atomic {
				again = flag;
				if
				:: again ->
					end_run();
					done = taken;
					flag = false;
					taken = COVERED_BY_A_RUN;
					begin_run(me)
				:: else
				fi
			};
			/* ... and let go. */
			if
			:: !again -> atomic { end_run(); done = taken; in_progress = false }
			:: else
			fi
#else
			atomic {
				if
				:: running > 0 -> end_run()
				:: else
				fi;
				done = taken;
				if
				:: want > taken ->
					/* The trailing run, in the same step ... */
					taken = COVERED_BY_A_RUN;
					begin_run(me)
				:: want > taken ->
					/* ... or pending, behind more urgent kinds. */
					again = false;
					in_progress = false
				:: want == taken ->
					again = false;
					in_progress = false
				:: failures < FAILURES ->
					/* It failed, and owes another try later. */
					failures++;
					again = false;
					in_progress = false;
					backing_off = true;
					if
					:: want == taken -> want++
					:: else
					fi
				fi
			}
#endif
		:: else -> break
		od;
#ifdef SPLIT_FLAG
		break
#else
		again = true
#endif
	od
}

#ifdef WITHIN
/* One push, if none is more urgent; the agent does syncs meanwhile, one after the other. */
inline drain_push(me, again)
{
	atomic {
		again = pwant > pdone && !p_in_progress && !in_progress;
		if
		:: again -> ptaken = pwant; p_in_progress = true; pusher = me; push_gen = asked
		:: else
		fi
	};
	if
	:: again ->
		if
		:: me == AGENT -> drain(me, again)
		:: true
		fi;
#ifdef ONE_MARK
		atomic {
			if
			:: runs > 1 -> p_in_progress = false; ptaken = pdone
			:: else
			fi
		};
#endif
		atomic {
			/* Else the queue says NOT_FOUND. */
			assert(p_in_progress);
			pusher = NOBODY;
			if
			:: push_gen > pushed -> pushed = push_gen
			:: else
			fi;
			pdone = ptaken;
			p_in_progress = false
		};
		again = true
	:: else
	fi
}
#endif

/* All that is due, of every kind. */
inline drain_all(me, again)
{
#ifdef WITHIN
	do
	:: true ->
		drain(me, again);
		drain_push(me, again);
		if
		:: again
		:: else -> break
		fi
	od
#else
	drain(me, again)
#endif
}

inline unlock(me)
{
	atomic {
		if
		:: lock == me -> lock = NOBODY
		:: else
		fi
	};
#ifdef LOOK_AGAIN
	if
	:: want > done -> ring()
	:: else
	fi;
#endif
	skip
}

/* What the kernel does when a process dies. */
inline die(me)
{
	if
	:: lock == me -> lock = NOBODY
	:: else
	fi;
	if
	:: runner == me -> running--; runner = NOBODY
	:: else
	fi;
#ifdef WITHIN
	if
	:: pusher == me -> pusher = NOBODY
	:: else
	fi;
#endif
	skip
}

active proctype agent()
{
	bool again;

birth:
	{
#ifndef BELL_LATE
		atomic { bell_hung = true; bell = false };
#endif
		do
		:: true ->
#ifdef HEARTBEAT
			skip;
#else
#ifdef TRY_LOCK
			atomic {
				again = lock == NOBODY;
				if
				:: again -> lock = AGENT
				:: else
				fi
			};
			if
			:: !again -> goto rest
			:: else
			fi;
#else
			atomic { (lock == NOBODY || lock == AGENT) -> lock = AGENT };
#endif
#endif
			reclaim(AGENT);
			drain_all(AGENT, again);
#ifndef AGENT_HOLDS
			unlock(AGENT);
#endif
rest:
#ifdef BELL_LATE
			atomic {
				if
				:: !bell_hung -> bell_hung = true; bell = false
				:: else
				fi
			};
#endif
end_asleep:
			atomic { (bell || timer_rang) -> bell = false; timer_rang = false }
		od
	} unless {
		atomic {
			kill_agent ->
			kill_agent = false;
			bell_hung = false;
			bell = false;
			die(AGENT)
		}
	};
	goto birth
}

active proctype once()
{
	bool again;
	byte ticket;

	{
		ask(ticket);
#ifdef BURST
		busy--;
#endif
		do
		:: done >= ticket -> break
		:: done < ticket ->
#ifdef HEARTBEAT
			skip;
#else
			if
			:: atomic { lock == NOBODY -> lock = ONCE }
			:: done >= ticket -> break
			fi;
#endif
			reclaim(ONCE);
			drain_all(ONCE, again);
			unlock(ONCE)
		od
	} unless {
		atomic { kill_once -> kill_once = false; die(ONCE) }
	}
}

active [CALLERS] proctype caller()
{
	byte ticket, i;
	bool found;

#ifdef BURST
	(runs > 0);
#endif
	do
	:: i < WISHES -> wish(ticket, found); i++
	:: else -> break
	od;
#ifdef BURST
	busy--
#endif
}

/* The back-off ends; the agent knows when, from the database. */
active proctype timer()
{
end_timer:
	do
	:: atomic { backing_off -> backing_off = false; timer_rang = true }
	od
}

active proctype killer()
{
	do
	:: crashes < CRASHES -> atomic { crashes++; kill_agent = true }; (!kill_agent)
	:: atomic { crashes < CRASHES && lock == ONCE -> crashes++; kill_once = true };
		(!kill_once)
	:: break
	od
}

/* Nobody can move any more: everything must be done. */
active proctype rest()
{
	timeout ->
	assert(lock == NOBODY || lock == AGENT);
	assert(running == 0 && !in_progress);
	assert(covered == gen);
	assert(want == done)
#ifdef WITHIN
	; assert(pusher == NOBODY && !p_in_progress)
	; assert(pushed == asked)
	; assert(pwant == pdone)
#endif
#ifdef BURST
	; assert(runs == 2)
#endif
}
