//! All displays at once: every one of them connects anew while the pumps go on, and the last one's snapshots are waited for.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use ecmo_proto::topic::Id;

use super::WAVES;
use crate::clock;
use crate::display::Displays;
use crate::gateway::Gateway;
use crate::ours::Feed;
use crate::plan::Plan;
use crate::views::Views;

/// How often they come.
const STORMS: u32 = 3;

/// Measures it with a gateway of its own; the time of each storm, in nanoseconds.
pub(super) async fn measure(
    program: &Path,
    broker: SocketAddr,
    plan: &Plan,
) -> anyhow::Result<Vec<u64>> {
    let ward = Id::new("bench-storm")?;
    let gateway = Gateway::start(program, broker, ward.as_str(), plan.displays).await?;
    let storms = run(&gateway, broker, plan, &ward).await;
    let storms = storms.with_context(|| format!("the gateway wrote:\n{}", gateway.log()))?;
    gateway.stop().await?;
    Ok(storms)
}

async fn run(
    gateway: &Gateway,
    broker: SocketAddr,
    plan: &Plan,
    ward: &Id,
) -> anyhow::Result<Vec<u64>> {
    let views = Views::ward(0..WAVES);
    let (url, count) = (gateway.url(), plan.displays);
    // So long that it lasts over all storms, however slow; it ends with the last one.
    let plan = Plan { seconds: 60 + plan.seconds, ..*plan };
    let _feed = Feed::start(gateway, broker, &plan, ward).await?;
    let mut displays = Displays::connect(url, ward.as_str(), count, &views).await?;
    let mut storms = Vec::new();
    for _ in 0..STORMS {
        // Gone without a goodbye, as when a switch was without power.
        drop(displays);
        let begun = clock::now_ns();
        displays = Displays::connect(url, ward.as_str(), count, &views).await?;
        storms.push(clock::now_ns().saturating_sub(begun));
    }
    println!("{count} displays at once: {storms:?} ns");
    Ok(storms)
}
