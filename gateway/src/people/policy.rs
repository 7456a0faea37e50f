//! The one table of who may call what. A call that is not in it is denied. Pure.

use super::{Identity, Person, Way};

/// What a person may do; each may do what those before it may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Only looks.
    Viewer,
    /// Acknowledges, pauses, shelves, owns, enters cases and contexts.
    Clinician,
    /// Sets limits and beds.
    Biomed,
    /// Everything. Accounts and keys are kept on the gateway's machine, by no call.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Clinician, Self::Biomed, Self::Admin];

    /// Its name in files and messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Clinician => "clinician",
            Self::Biomed => "biomed",
            Self::Admin => "admin",
        }
    }

    /// The role of a name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// Who may make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Any display that reaches the port: what looks, and what a display says of itself. It goes on while nobody can sign in.
    Display,
    /// A person of this role or a greater one.
    Person(Role),
    /// As [`Needs::Person`], or whoever has the break-glass PIN.
    PersonOrPin(Role),
}

/// Services whose methods are called alike whatever the gateway asks for.
const OPEN: [(&str, &[&str]); 3] = [
    ("grpc.health.v1.Health", &["Check", "Watch"]),
    ("grpc.reflection.v1.ServerReflection", &["ServerReflectionInfo"]),
    ("grpc.reflection.v1alpha.ServerReflection", &["ServerReflectionInfo"]),
];

const LOOK: Needs = Needs::Display;
const CLINICIAN: Needs = Needs::Person(Role::Clinician);
const BIOMED: Needs = Needs::Person(Role::Biomed);
const EMERGENCY: Needs = Needs::PersonOrPin(Role::Clinician);

/// The table: each method of each service of the contract.
const TABLE: &[(&str, Needs)] = &[
    ("AlarmService/ListAlarms", LOOK),
    ("AlarmService/WatchAlarms", LOOK),
    ("AlarmService/ConfirmAlarms", LOOK),
    ("AlarmService/AcknowledgeAlarm", EMERGENCY),
    ("AlarmService/PauseAudio", EMERGENCY),
    ("AlarmService/ResumeAudio", EMERGENCY),
    ("AlarmService/ShelveAlarm", CLINICIAN),
    ("AlarmService/UnshelveAlarm", CLINICIAN),
    ("AlarmService/GetAlarmReport", LOOK),
    ("AlarmService/ListMissedAlarms", LOOK),
    ("PumpService/ListPumps", LOOK),
    ("PumpService/WatchPumps", LOOK),
    ("PumpService/WatchWaveforms", LOOK),
    ("PumpService/WatchWard", LOOK),
    ("HistoryService/ListHistory", LOOK),
    ("HistoryService/QueryTrend", LOOK),
    ("HistoryService/ReadWaveform", LOOK),
    ("HistoryService/ListAlarmHistory", LOOK),
    ("LatencyService/GetLatency", LOOK),
    // A display says these of itself, also while nobody is signed in there: without them the bedside would alarm.
    ("DisplayService/AttendWards", LOOK),
    ("DisplayService/LeaveWards", LOOK),
    ("DisplayService/ListDisplays", LOOK),
    ("DisplayService/ListConfirmations", LOOK),
    ("OwnershipService/AcceptPump", CLINICIAN),
    ("OwnershipService/HandOverPump", CLINICIAN),
    ("OwnershipService/RejectPump", CLINICIAN),
    ("OwnershipService/AssignBed", BIOMED),
    ("TreatmentService/GetTreatment", LOOK),
    ("TreatmentService/WatchTreatments", LOOK),
    ("TreatmentService/StartTreatment", CLINICIAN),
    ("TreatmentService/ChangeCase", CLINICIAN),
    ("TreatmentService/SetLimit", BIOMED),
    ("TreatmentService/PreviewLimit", CLINICIAN),
    ("TreatmentService/StartContext", CLINICIAN),
    ("TreatmentService/EndContext", CLINICIAN),
    ("PeopleService/SignIn", LOOK),
    ("PeopleService/SignOut", LOOK),
    ("PeopleService/GetIdentity", LOOK),
];

/// Package of the contract, as paths of calls begin.
const PACKAGE: &str = "/ecmo.v1.";

/// Why a call is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The table does not know it.
    Unknown,
    /// Nobody has signed in.
    Nobody(Role),
    /// The role does not allow it.
    Role(Role),
    /// The break-glass PIN does not allow it.
    Pin(Role),
}

impl std::fmt::Display for Denied {
    /// With what to do.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown => {
                formatter.write_str("no such call; update this program or the gateway")
            }
            Self::Nobody(role) => {
                write!(
                    formatter,
                    "sign in first: this needs the role {} or a greater one",
                    role.word()
                )
            }
            Self::Role(role) => write!(
                formatter,
                "your role does not allow this; ask somebody with the role {} or a greater one",
                role.word()
            ),
            Self::Pin(role) => write!(
                formatter,
                "the break-glass PIN only acknowledges, pauses and resumes; sign in with the role {}",
                role.word()
            ),
        }
    }
}

/// Who may make the call of a path, such as `/ecmo.v1.PumpService/ListPumps`; `None`: nobody, it is not in the table.
#[must_use]
pub fn needs(path: &str) -> Option<Needs> {
    if let Some(method) = path.strip_prefix(PACKAGE) {
        return TABLE.iter().find(|(name, _)| *name == method).map(|(_, needs)| *needs);
    }
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    let (_, methods) = OPEN.iter().find(|(name, _)| *name == service)?;
    methods.contains(&method).then_some(Needs::Display)
}

/// Whether somebody may make the call of a path.
///
/// # Errors
/// Why not.
pub fn check(path: &str, who: &Identity) -> Result<(), Denied> {
    let (role, by_pin) = match needs(path) {
        None => return Err(Denied::Unknown),
        Some(Needs::Display) => return Ok(()),
        Some(Needs::Person(role)) => (role, false),
        Some(Needs::PersonOrPin(role)) => (role, true),
    };
    match who {
        Identity::Nobody | Identity::Display(_) => Err(Denied::Nobody(role)),
        Identity::Person(Person { way: Way::BreakGlass, .. }) if by_pin => Ok(()),
        Identity::Person(Person { way: Way::BreakGlass, .. }) => Err(Denied::Pin(role)),
        Identity::Person(person) if person.role >= role => Ok(()),
        Identity::Person(_) => Err(Denied::Role(role)),
    }
}

/// The calls that need a person and that this one may make, such as `AlarmService/AcknowledgeAlarm`.
pub fn allowed(who: &Identity) -> impl Iterator<Item = &'static str> {
    let may = |method: &str| check(&format!("{PACKAGE}{method}"), who).is_ok();
    TABLE
        .iter()
        .filter(move |(method, needs)| *needs != Needs::Display && may(method))
        .map(|(method, _)| *method)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(role: Role, way: Way) -> Identity {
        Identity::Person(Person { name: "Ann".to_owned(), role, way })
    }

    #[test]
    fn what_is_not_in_the_table_is_denied_to_everybody() {
        for path in [
            "",
            "/",
            "/ecmo.v1.PumpService/StopPump",
            "/ecmo.v2.PumpService/ListPumps",
            "PumpService/ListPumps",
        ] {
            assert_eq!(
                check(path, &person(Role::Admin, Way::Account)),
                Err(Denied::Unknown),
                "{path}"
            );
        }
        assert_eq!(needs("/grpc.health.v1.Health/Check"), Some(Needs::Display));
    }

    #[test]
    fn each_role_may_do_what_those_before_it_may() {
        for (method, _) in TABLE {
            let path = format!("{PACKAGE}{method}");
            let may = Role::ALL.map(|role| check(&path, &person(role, Way::Account)).is_ok());
            assert!(may.is_sorted() && may[3], "{method}: {may:?}");
        }
    }

    #[test]
    fn the_pin_acknowledges_pauses_and_resumes_and_nothing_else() {
        // A PIN gives no more, whatever role would stand beside it.
        let pin = person(Role::Admin, Way::BreakGlass);
        let may: Vec<_> = allowed(&pin).collect();
        assert_eq!(
            may,
            [
                "AlarmService/AcknowledgeAlarm",
                "AlarmService/PauseAudio",
                "AlarmService/ResumeAudio"
            ]
        );
    }

    #[test]
    fn looking_needs_nobody_and_changing_needs_somebody() {
        assert_eq!(allowed(&Identity::Nobody).count(), 0);
        assert_eq!(allowed(&Identity::Display("station-1".to_owned())).count(), 0);
        assert_eq!(allowed(&person(Role::Viewer, Way::Provider)).count(), 0);
        assert!(check("/ecmo.v1.AlarmService/WatchAlarms", &Identity::Nobody).is_ok());
    }
}
