"""Settings of every user's server behind the hub."""

c = get_config()  # noqa: F821

# Other users of the machine could listen to what a kernel prints if it used ports.
c.KernelManager.transport = "ipc"
# A new notebook finds TensorFlow ready after the first; where a kernel cannot be forked it starts as always.
c.MultiKernelManager.default_kernel_name = "course-warm"
# A kernel that nobody looks at holds half a gigabyte.
c.MappingKernelManager.cull_idle_timeout = 3600
c.MappingKernelManager.cull_interval = 300

# JupyterLab would ask the network for news, updates and extensions.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
