//! Gives the sampling thread what the system permits: a real-time priority, memory that stays, a timer without slack.
//!
//! None of it is needed to sample, so a refusal ends nothing: it is told in birth, heartbeat, log and `check`.

use core::hint::black_box;
use core::num::NonZeroU64;
use std::io;

use rustix::io::Errno;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, getrlimit};
use rustix::thread::{
    CapabilitySet, CpuSet, capabilities, sched_setaffinity, set_current_timer_slack,
};
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

use super::plan::Plan;
use crate::counters::Footing;

/// Real-time priority, in percent of what there is: above the kernel's threaded interrupts at 50 nothing is gained, as the
/// serial ports and the network are served by them.
const PRIORITY_PERCENT: u8 = 48;

/// How far a timer may fire late on purpose, so that wake-ups can be joined; the system's own choice is 50 us.
const TIMER_SLACK_NS: NonZeroU64 = NonZeroU64::MIN;

/// Stack that a poll may use; it is touched before, so that no page of it is missing later.
const STACK_BYTES: usize = 64 * 1024;

/// Prepares the calling thread; what it may rely on holds until the thread ends.
pub(super) fn stand(plan: &Plan) -> Footing {
    let mut refusals = Vec::new();
    if let Some(cpu) = plan.cpu {
        refusals.extend(pin(cpu).err());
    }
    let (mut realtime, mut memory_locked) = (false, false);
    if plan.realtime {
        realtime = raise_priority().map_err(|refusal| refusals.push(refusal)).is_ok();
        memory_locked = lock_memory().map_err(|refusal| refusals.push(refusal)).is_ok();
        // Slack matters without a real-time priority only; no system that we know refuses it.
        let _without_it_ticks_are_50_us_late = set_current_timer_slack(Some(TIMER_SLACK_NS));
        touch_stack();
    } else {
        refusals.push(plan.why_not_realtime.to_owned());
    }
    Footing { tick: plan.tick, realtime, memory_locked, limitation: refusals.join("; ") }
}

/// What a sampling thread of this process could rely on, found out on a thread of its own, which ends.
#[must_use]
pub fn footing_here(plan: &Plan) -> Footing {
    std::thread::scope(|scope| scope.spawn(|| stand(plan)).join()).unwrap_or_default()
}

fn raise_priority() -> Result<(), String> {
    let percent = PRIORITY_PERCENT.try_into().expect("a percentage below 100 is a priority");
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let priority = ThreadPriority::Crossplatform(percent);
    set_thread_priority_and_policy(thread_native_id(), priority, policy).map_err(|error| {
        let why = match error {
            thread_priority::Error::OS(code) => io::Error::from_raw_os_error(code).to_string(),
            thread_priority::Error::Priority(_)
            | thread_priority::Error::PriorityNotInRange(_)
            | thread_priority::Error::Ffi(_) => error.to_string(),
        };
        format!(
            "no real-time priority ({why}): set LimitRTPRIO=50 in the systemd unit, or grant CAP_SYS_NICE"
        )
    })
}

/// Locks pages as they come into use, so that what is never touched costs nothing.
fn lock_memory() -> Result<(), String> {
    let advice = "set LimitMEMLOCK=infinity in the systemd unit, or grant CAP_IPC_LOCK";
    if !may_lock_everything() {
        // With a limit, an allocation beyond it would fail and end the program: worse than a page that is read again.
        return Err(format!("memory is not locked, its limit is finite: {advice}"));
    }
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)
        .map_err(|error: Errno| format!("memory is not locked ({error}): {advice}"))
}

fn may_lock_everything() -> bool {
    let is_capable =
        capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    is_capable || getrlimit(Resource::Memlock).current.is_none()
}

fn pin(cpu: u16) -> Result<(), String> {
    let refusal =
        |why: String| format!("not pinned to processor {cpu} ({why}): check cpu in [sampling]");
    if usize::from(cpu) >= CpuSet::MAX_CPU {
        return Err(refusal("there is none of that number".to_owned()));
    }
    let mut set = CpuSet::new();
    set.set(cpu.into());
    sched_setaffinity(None, &set).map_err(|error| refusal(error.to_string()))
}

#[inline(never)]
fn touch_stack() {
    black_box(&mut [1u8; STACK_BYTES]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use std::fs;

    /// Policy and priority of the calling thread, as the kernel tells them.
    fn policy_and_priority() -> (u32, u32) {
        let text = fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_name, fields) = text.rsplit_once(") ").unwrap();
        let fields: Vec<&str> = fields.split(' ').collect();
        (fields[38].parse().unwrap(), fields[37].parse().unwrap())
    }

    fn plan(realtime: bool, cpu: Option<u16>) -> Plan {
        Plan { tick: Duration::from_millis(1), realtime, why_not_realtime: "switched off", cpu }
    }

    #[test]
    fn what_is_said_of_the_priority_is_what_the_kernel_says() {
        const FIFO: u32 = 1;
        let (footing, is_fifo) = std::thread::spawn(|| {
            let footing = stand(&plan(true, None));
            let (policy, priority) = policy_and_priority();
            (footing, policy == FIFO && priority > 0)
        })
        .join()
        .unwrap();
        assert_eq!(footing.realtime, is_fifo, "{footing:?}");
        let is_whole = footing.realtime && footing.memory_locked;
        assert_eq!(footing.limitation.is_empty(), is_whole, "{footing:?}");
    }

    #[test]
    fn what_was_not_asked_for_or_cannot_be_is_a_limitation_in_words() {
        assert_eq!(footing_here(&plan(false, None)).limitation, "switched off");
        for cpu in [1023, u16::MAX] {
            let said = footing_here(&plan(false, Some(cpu))).limitation;
            assert!(said.contains("not pinned to processor"), "{said}");
            assert!(said.contains("check cpu in [sampling]"), "{said}");
        }
        let footing = footing_here(&plan(false, Some(0)));
        assert!(!footing.realtime && !footing.memory_locked);
    }
}
