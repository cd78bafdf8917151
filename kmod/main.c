// SPDX-License-Identifier: GPL-2.0-only
#include <linux/miscdevice.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include "fabric.h"
#include "file.h"
#include "granule.h"
#include "mutate.h"
#include "window.h"
#include "work.h"

struct workqueue_struct *xnuma_free_wq;

#ifdef XNUMA_MUTATIONS
unsigned int xnuma_mutation;
module_param_named(mutate, xnuma_mutation, uint, 0644);
MODULE_PARM_DESC(mutate, "fault to build in, see mutate.h; for tests only");
#endif

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "xpmem_numa",
	.fops = &xnuma_file_ops,
	.mode = 0666,
	.groups = xnuma_stats_groups,
};

static int __init xnuma_init(void)
{
	int ret = -ENOMEM;

	if (compat_page_table_check()) {
		pr_err("xpmem_numa: page_table_check=on stops the kernel at the first page that two processes write\n");
		return -EOPNOTSUPP;
	}
	xnuma_fabric_init();
	xnuma_free_wq = alloc_workqueue("xpmem_numa", WQ_UNBOUND, 0);
	if (!xnuma_free_wq)
		return ret;
	ret = xnuma_granule_init();
	if (ret)
		goto destroy_wq;
	ret = xnuma_poison_init();
	if (ret)
		goto granule_exit;
	ret = xnuma_import_init();
	if (ret)
		goto poison_exit;
	ret = misc_register(&device);
	if (ret)
		goto import_exit;
	return 0;

import_exit:
	xnuma_import_exit();
poison_exit:
	xnuma_poison_exit();
granule_exit:
	xnuma_granule_exit();
destroy_wq:
	destroy_workqueue(xnuma_free_wq);
	return ret;
}

/*
 * No file is open and no window mapped, or the module could not go. What is
 * left is freed by work, which frees more by work: imports, then exports.
 */
static void __exit xnuma_exit(void)
{
	misc_deregister(&device);
	destroy_workqueue(xnuma_free_wq);
	mmu_notifier_synchronize();
	rcu_barrier();
	xnuma_import_exit();
	xnuma_poison_exit();
	xnuma_granule_exit();
}

module_init(xnuma_init);
module_exit(xnuma_exit);

MODULE_DESCRIPTION("Direct access to the memory of other processes and partitions");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
