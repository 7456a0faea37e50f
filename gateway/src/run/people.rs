//! Opens the door where people sign in, and keeps its files read.

use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

use crate::clock::Clock;
use crate::config::Settings;
use crate::people::{self, Door};

/// Opens it, where the settings ask people who they are.
///
/// # Errors
/// The start was interrupted.
pub(super) async fn open(
    settings: &Settings,
    clock: Clock,
    tasks: &mut JoinSet<&'static str>,
) -> Result<Option<Arc<Door>>, JoinError> {
    let Some(people) = settings.people.clone() else {
        tracing::warn!(
            "nobody is asked who he is: names are taken as they are said, and whoever reaches the port may do everything; \
             set [people] in the settings"
        );
        return Ok(None);
    };
    let opened = tokio::task::spawn_blocking(move || Door::open(&people, clock)).await?;
    let door = Arc::new(opened);
    let watched = Arc::clone(&door);
    tasks.spawn(async move {
        people::keep(watched).await;
        "accounts"
    });
    Ok(Some(door))
}
