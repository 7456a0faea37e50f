//! What people do and see at a bedside of the tests, and a restart of the reader there.

use std::sync::Arc;

use ecmo_core::alarm::Refused;
use ecmo_core::alarm::action::{Action, Ask, Order};
use ecmo_core::alarm::profile::Profile;
use ecmo_core::parameter::Parameter;
use ecmo_core::pump::Pump;
use ecmo_core::reading::Reading;
use ecmo_core::view::View;

use super::{Bedside, Input, WINDOW};

impl Bedside {
    /// What a person asks for, as an action; each is later than the one before.
    pub(crate) fn prepare(
        &mut self,
        ask: Ask<'_>,
        by: &str,
        note: &str,
    ) -> Result<Action, Refused> {
        let what = self.pump.prepare(ask, by, self.now())?;
        self.orders += 1;
        let order = Order { at: self.orders, gateway: "test".into() };
        Ok(Action { order, by: by.into(), note: note.into(), what })
    }

    /// A person asks for something, and it takes effect.
    pub(crate) fn person(&mut self, ask: Ask<'_>, by: &str, note: &str) -> Result<(), Refused> {
        let action = self.prepare(ask, by, note)?;
        self.pump.apply(&action, self.now(), &mut self.log)
    }

    /// The reader starts anew with what it had kept; the broker has kept the birth.
    pub(crate) fn restart_reader(&mut self) {
        self.restart_reader_with(self.profile.clone());
    }

    /// The same with another profile.
    pub(crate) fn restart_reader_with(&mut self, profile: Profile) {
        let (kept, now) = (self.pump.kept(), self.now());
        self.pump = Pump::new(Arc::new(profile), WINDOW, now);
        self.pump.restore(kept, now, &mut self.log);
        self.apply(&Input::Birth(self.agent.boot.get(), true));
    }

    pub(crate) fn view(&self) -> View {
        View::of(&self.pump, self.now())
    }

    pub(crate) fn reading(&self, parameter: Parameter) -> Reading {
        let view = self.view();
        view.readings.iter().find(|shown| shown.parameter == parameter).unwrap().reading
    }
}
