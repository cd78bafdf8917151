// SPDX-License-Identifier: GPL-2.0
/*
 * A module of the same name that does what it is told, so that the lab and
 * guest-run can be tested for what a faulty module makes them say: a splat at
 * load, in between or at unload, a leaked reference, counters and gauges that
 * stand still or do not return. The statistics are plain writable numbers.
 */
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

static char *splat = "";
module_param(splat, charp, 0444);
MODULE_PARM_DESC(splat, "warn at: load, unload");

static bool hold;
module_param(hold, bool, 0444);
MODULE_PARM_DESC(hold, "keep a reference, so that rmmod fails");

static bool refuse;
module_param(refuse, bool, 0444);
MODULE_PARM_DESC(refuse, "fail to load");

struct number {
	struct device_attribute attr;
	unsigned long value;
};

static ssize_t number_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct number *n = container_of(attr, struct number, attr);

	return sysfs_emit(buf, "%lu\n", READ_ONCE(n->value));
}

static ssize_t number_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t len)
{
	struct number *n = container_of(attr, struct number, attr);
	unsigned long value;
	int ret = kstrtoul(buf, 0, &value);

	if (ret)
		return ret;
	WRITE_ONCE(n->value, value);
	return len;
}

static ssize_t warn_store(struct device *dev, struct device_attribute *attr,
			  const char *buf, size_t len)
{
	WARN(1, "stand-in: told to warn\n");
	return len;
}
static DEVICE_ATTR_WO(warn);

#define NUMBER(name) \
	static struct number name = { .attr = __ATTR(name, 0644, number_show, \
						     number_store) }
NUMBER(faults);
NUMBER(exports);
NUMBER(imports);
NUMBER(windows);
NUMBER(granules);

static struct attribute *stats_attrs[] = {
	&faults.attr.attr,
	&exports.attr.attr,
	&imports.attr.attr,
	&windows.attr.attr,
	&granules.attr.attr,
	&dev_attr_warn.attr,
	NULL
};

static const struct attribute_group stats_group = {
	.name = "stats",
	.attrs = stats_attrs,
};

static const struct attribute_group *standin_groups[] = {
	&stats_group,
	NULL
};

static const struct file_operations standin_fops = {
	.owner = THIS_MODULE,
};

static struct miscdevice standin_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "xpmem_numa",
	.fops = &standin_fops,
	.groups = standin_groups,
};

static int __init standin_init(void)
{
	int ret;

	if (refuse)
		return -EINVAL;
	WARN(!strcmp(splat, "load"), "stand-in: told to warn\n");
	ret = misc_register(&standin_device);
	if (!ret && hold)
		__module_get(THIS_MODULE);
	return ret;
}
module_init(standin_init);

static void __exit standin_exit(void)
{
	misc_deregister(&standin_device);
	WARN(!strcmp(splat, "unload"), "stand-in: told to warn\n");
}
module_exit(standin_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("stand-in for xpmem_numa in tests of the lab");
