//! One `[[group]]`: causes and the consequences that make no sound of their own beside them.

use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::rule::Group;

use crate::error::Problems;
use crate::head::Placed;
use crate::reader::{Table, Value};
use crate::words;

/// Reads a group; `None` when it has a problem.
pub(crate) fn read(mut table: Table<'_>, problems: &mut Problems) -> Option<Placed<Group>> {
    let at = table.at();
    let leaders = list("leaders", &mut table, problems);
    let followers = list("followers", &mut table, problems);
    table.close(problems);
    let (leaders, followers) = (leaders?, followers?);
    for (value, found) in &followers {
        for condition in found {
            check_follower(*condition, value, &leaders, problems);
        }
    }
    Some(Placed {
        at,
        it: Group { leaders: conditions(leaders), followers: conditions(followers) },
    })
}

type Named<'a> = Vec<(Value<'a>, Vec<Condition>)>;

fn conditions(named: Named<'_>) -> Vec<Condition> {
    named.into_iter().flat_map(|(_value, found)| found).collect()
}

fn list<'a>(
    key: &'static str,
    table: &mut Table<'a>,
    problems: &mut Problems,
) -> Option<Named<'a>> {
    let list = table.required(key, problems)?.filled_list("conditions", problems)?;
    let mut named: Named<'a> = Vec::new();
    for value in list {
        let found = words::conditions(&value, problems)?;
        let known = |one: &Condition| named.iter().any(|(_value, list)| list.contains(one));
        if found.iter().any(known) {
            value.refuse(problems, "is named twice", "remove one");
        }
        named.push((value, found));
    }
    Some(named)
}

fn check_follower(
    follower: Condition,
    value: &Value<'_>,
    leaders: &Named<'_>,
    problems: &mut Problems,
) {
    if follower.is_protected() {
        value.refuse(
            problems,
            format!("{follower} always makes its own sound"),
            "take it out of followers",
        );
    }
    let leads = |(_value, found): &(Value<'_>, Vec<Condition>)| found.contains(&follower);
    if leaders.iter().any(leads) {
        value.refuse(
            problems,
            format!("{follower} cannot follow itself"),
            "take it out of leaders or followers",
        );
    }
    let alone =
        follower.sensor().is_some() && value.as_text().is_none_or(|text| !text.ends_with(".*"));
    if alone {
        value.refuse(
            problems,
            "faults of sensors follow all together",
            format!("write {}.*", Condition::SENSOR_FAULT_FAMILY),
        );
    }
}
