//! Whether a device runs a kernel.

use crate::geometry::Geometry;
use crate::{Error, Result};

impl Geometry {
    /// Whether a device with `limits` runs this kernel with `storage_buffers` tensors and parameters of `params_bytes`.
    ///
    /// # Errors
    /// [`Error::DeviceLimit`].
    pub fn check_device(&self, storage_buffers: usize, params_bytes: usize, limits: &wgpu::Limits) -> Result<()> {
        let [x, y, z] = self.workgroup.map(u64::from);
        // A lane's part of a window has four words, and so has the whole.
        let shared_bytes = if self.schedule.lanes.is_some() { 16 * (x * y * z + z) } else { 0 };
        let needs: [(&'static str, u64, &'static str, u32); 10] = [
            (
                "the number of bindings of a group",
                1 + storage_buffers as u64,
                "max_bindings_per_bind_group",
                limits.max_bindings_per_bind_group,
            ),
            (
                "a workgroup's number of invocations",
                x * y * z,
                "max_compute_invocations_per_workgroup",
                limits.max_compute_invocations_per_workgroup,
            ),
            ("a workgroup's width", x, "max_compute_workgroup_size_x", limits.max_compute_workgroup_size_x),
            ("a workgroup's height", y, "max_compute_workgroup_size_y", limits.max_compute_workgroup_size_y),
            ("a workgroup's depth", z, "max_compute_workgroup_size_z", limits.max_compute_workgroup_size_z),
            (
                "a workgroup's memory in bytes",
                shared_bytes,
                "max_compute_workgroup_storage_size",
                limits.max_compute_workgroup_storage_size,
            ),
            (
                "the number of workgroups",
                1,
                "max_compute_workgroups_per_dimension",
                limits.max_compute_workgroups_per_dimension,
            ),
            (
                "the number of tensors of a pass",
                storage_buffers as u64,
                "max_storage_buffers_per_shader_stage",
                limits.max_storage_buffers_per_shader_stage,
            ),
            (
                "the number of uniform buffers",
                1,
                "max_uniform_buffers_per_shader_stage",
                limits.max_uniform_buffers_per_shader_stage,
            ),
            ("the number of bind groups", 1, "max_bind_groups", limits.max_bind_groups),
        ];
        let uniform = (
            "the parameters' size in bytes",
            params_bytes as u64,
            "max_uniform_buffer_binding_size",
            limits.max_uniform_buffer_binding_size,
        );
        let needs = needs.map(|(what, given, limit, allowed)| (what, given, limit, u64::from(allowed)));
        for (what, given, limit, allowed) in needs.into_iter().chain([uniform]) {
            if given > allowed {
                let fix = "request a larger limit, or another adapter";
                return Err(Error::DeviceLimit { what, given, limit, allowed, fix });
            }
        }
        Ok(())
    }
}
